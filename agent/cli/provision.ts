import { join } from 'node:path'
import { type Layout, layoutOf, type Place } from '../core/config/layout.ts'
import { listenDescriptor } from '../core/network/listen-descriptor.ts'
import type { Outcome } from '../core/outcome/outcome.ts'
import type { ProvisionRequest } from '../core/protocol/provision-protocol.ts'
import { realFileSystem } from '../provisioner/files/file-system.ts'
import { recent } from '../provisioner/processes/short-cache.ts'
import { AGENT_USER, findUser } from '../provisioner/processes/system-user.ts'
import { admitAgent, clearPlace, makeDaemonFolder } from '../provisioner/server/own-socket.ts'
import { serveRequests } from '../provisioner/server/serve-requests.ts'
import { unsafeSocket } from '../provisioner/server/socket-access.ts'
import { loadConfig } from './host/load-config.ts'
import { onHost, requireRoot } from './host/open-command-host.ts'
import { pacedService } from './host/paced-service.ts'
import { parseHostFlags } from './terminal/flags.ts'
import { type Invocation, UsageError } from './terminal/invocation.ts'
import { stopSignal } from './terminal/stop-signal.ts'

const IDLE_MS = 60_000
const REQUEST_MS = 10_000

/** The root wing as a process of its own: serves the daemon's requests, leaves when there are none. */
export async function provision(invocation: Invocation): Promise<number> {
  return pacedService(invocation, () => serve(invocation))
}

async function serve(invocation: Invocation): Promise<number> {
  const flags = parseHostFlags(invocation.args)
  const config = loadConfig(flags, invocation)
  requireRoot(invocation, 'provision')
  const layout = layoutOf(config.sshd)
  const path = join(flags.root, layout.socket.path)
  const fd = listenDescriptor(invocation.environment, process.pid)
  const signal = stopSignal()
  const hosts = openHosts(invocation)
  const serving = {
    handle: hosts.answer,
    onKnock: hosts.knock,
    requestMs: REQUEST_MS,
    signal,
  }
  if (fd === undefined) {
    await serveRequests({ ...serving, ...(await ownSocket(flags.root, layout)) })
    return 0
  }
  const unsafe = unsafeSocket(realFileSystem, path, 0)
  if (unsafe !== undefined) throw new UsageError(unsafe)
  await serveRequests({ ...serving, listen: { fd }, idleMs: IDLE_MS })
  return 0
}

// Under another init nobody holds the socket for us: we make it, and stay.
async function ownSocket(root: string, layout: Layout) {
  const at = (place: Place) => ({ ...place, path: join(root, place.path) })
  const socket = at(layout.socket)
  const user = await findUser(AGENT_USER)
  if (user === undefined) {
    throw new UsageError(`there is no user ${AGENT_USER}; make it: useradd --system ${AGENT_USER}`)
  }
  const problem = await clearPlace(socket, at(layout.runFolder))
  if (problem !== undefined) throw new UsageError(problem)
  makeDaemonFolder(at(layout.daemonFolder), user)
  // For the one moment: what we start inherits it, and an sshd hands it on to every session.
  const before = process.umask(0o077)
  const onListening = () => {
    process.umask(before)
    admitAgent(socket, user)
  }
  return { listen: { path: socket.path }, onListening }
}

/**
 * The host, opened anew for each request: it or its config may have changed while we slept. From a
 * knock on, since the daemon knocks before it asks the source; what that saw is good for one request,
 * and for as long as systemd's word is believed.
 */
function openHosts(invocation: Invocation) {
  const knocked = recent<Opening>(Date.now)
  // What only a request needs is loaded while systemd is asked.
  const open = () =>
    Promise.all([onHost(invocation), import('../provisioner/server/answer-request.ts')])
  return {
    knock() {
      if (knocked.get() !== undefined) return
      const opening = open()
      // Told to whoever asks; a knock alone is answered by nobody.
      opening.catch(() => {})
      knocked.keep(opening, Date.now())
    },
    async answer(request: ProvisionRequest): Promise<Outcome> {
      const opening = knocked.get() ?? open()
      knocked.forget()
      const [{ config, host }, { answerRequest }] = await opening
      return answerRequest(request, config, host)
    },
  }
}

type Opening = Promise<
  [Awaited<ReturnType<typeof onHost>>, typeof import('../provisioner/server/answer-request.ts')]
>
