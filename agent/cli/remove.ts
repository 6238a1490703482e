import { exitCodeOf } from '../core/outcome.ts'
import { openHost } from '../provisioner/host.ts'
import { withLock } from '../provisioner/lock.ts'
import { makeOwnFolder } from '../provisioner/own-folder.ts'
import { remove as removeFromHost } from '../provisioner/remove.ts'
import { publishStatus } from '../provisioner/status-file.ts'
import { parseHostFlags } from './flags.ts'
import { type Invocation, UsageError } from './invocation.ts'
import { loadConfig } from './load-config.ts'
import { printOutcome } from './print-outcome.ts'

/** Makes this host what it was before the first `apply`. */
export async function remove(invocation: Invocation): Promise<number> {
  const flags = parseHostFlags(invocation.args)
  const config = loadConfig(flags, invocation)
  if (!invocation.isRoot) throw new UsageError('remove needs root; run it with sudo')
  const host = openHost(config.sshd, flags.root)
  await makeOwnFolder(host, host.layout.stateFolder)
  const outcome = await withLock(host, async () => {
    const outcome = await removeFromHost(host)
    await publishStatus(host, { at: new Date().toISOString(), outcome })
    return outcome
  })
  printOutcome(outcome, flags.json)
  return exitCodeOf(outcome)
}
