import { exitCodeOf, type Outcome } from '../core/outcome.ts'
import { refused, stopped } from '../core/outcomes.ts'
import type { Host } from '../provisioner/host.ts'
import { inTurn } from '../provisioner/in-turn.ts'
import { kept, provision } from '../provisioner/provision.ts'
import { readState } from '../provisioner/state.ts'
import type { Invocation } from './invocation.ts'
import { type Obtained, obtain } from './obtain.ts'
import { onHost } from './on-host.ts'
import { printOutcome } from './print-outcome.ts'

/** Makes this host trust what the source publishes. */
export async function apply(invocation: Invocation): Promise<number> {
  const { flags, config, host } = await onHost(invocation, { asRoot: 'apply' })
  const obtained = await obtain(config, host, flags, invocation)
  const gave = obtained.kind === 'request'
  const outcome = await inTurn(host, new Date(), () => conclude(obtained, host), { gave })
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
