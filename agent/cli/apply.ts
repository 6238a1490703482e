import type { Outcome } from '../core/outcome.ts'
import { exitCodeOf } from '../core/outcome.ts'
import { refused, stopped } from '../core/outcomes.ts'
import { type Host, openHost } from '../provisioner/host.ts'
import { withLock } from '../provisioner/lock.ts'
import { makeOwnFolder } from '../provisioner/own-folder.ts'
import { kept, provision } from '../provisioner/provision.ts'
import { readState } from '../provisioner/state.ts'
import { publishStatus } from '../provisioner/status-file.ts'
import { parseHostFlags } from './flags.ts'
import { type Invocation, UsageError } from './invocation.ts'
import { loadConfig } from './load-config.ts'
import { type Obtained, obtain } from './obtain.ts'
import { printOutcome } from './print-outcome.ts'

/** Makes this host trust what the source publishes. */
export async function apply(invocation: Invocation): Promise<number> {
  const flags = parseHostFlags(invocation.args)
  const config = loadConfig(flags, invocation)
  if (!invocation.isRoot) throw new UsageError('apply needs root; run it with sudo')
  const host = openHost(config.sshd, flags.root)
  const obtained = await obtain(config, host, flags, invocation)
  await makeOwnFolder(host, host.layout.stateFolder)
  const outcome = await withLock(host, async () => {
    const outcome = await conclude(obtained, host)
    await publishStatus(host, { at: new Date().toISOString(), outcome })
    return outcome
  })
  printOutcome(outcome, flags.json)
  return exitCodeOf(outcome)
}

async function conclude(obtained: Obtained, host: Host): Promise<Outcome> {
  if (obtained.kind === 'request') return provision(obtained.request, host)
  const left = kept(host, readState(host))
  if (obtained.kind === 'refused') return refused(obtained, left)
  const { code, message } = obtained
  return stopped({ outcome: 'source-unavailable', code, message }, left)
}
