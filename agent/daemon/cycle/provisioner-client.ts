import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { AgentError } from '../../core/basics/agent-error.ts'
import { messageOf } from '../../core/outcome/failures.ts'
import {
  decodeReply,
  encodeRequest,
  type ProvisionReply,
  type ProvisionRequest,
} from '../../core/protocol/provision-protocol.ts'

/** A cycle may wait for the lock, for the restart budget and for sshd itself; in milliseconds. */
const PATIENCE_MS = 150_000

/** Asks the provisioner on its Unix socket; a line of JSON each way. Throws `no-provisioner`. */
export async function askProvisioner(
  path: string,
  request: ProvisionRequest,
  patienceMs = PATIENCE_MS,
): Promise<ProvisionReply> {
  const socket = connect(path)
  socket.setTimeout(patienceMs, () => {
    socket.destroy(new Error(`no answer within ${patienceMs / 1000} s`))
  })
  try {
    socket.write(encodeRequest(request))
    const line = await text(socket)
    if (line === '') throw new Error('it left without an answer')
    return decodeReply(line)
  } catch (cause) {
    const why = messageOf(cause)
    throw new AgentError('no-provisioner', `the provisioner at ${path} can't be asked: ${why}`, {
      cause,
    })
  } finally {
    socket.destroy()
  }
}

/**
 * Has systemd start the provisioner where it sleeps, for a request that is about to come: its start
 * takes as long as asking the source. Nothing is said, and whatever goes wrong shows when it is asked.
 */
export function wakeProvisioner(path: string): void {
  const socket = connect(path)
  socket.on('error', () => {}).on('connect', () => socket.destroy())
  // It is the cycle that keeps us here, not this.
  socket.unref()
}
