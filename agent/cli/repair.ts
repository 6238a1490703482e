import { exitCodeOf } from '../core/outcome.ts'
import { inTurn } from '../provisioner/in-turn.ts'
import { repair as repairHost } from '../provisioner/repair.ts'
import type { Invocation } from './invocation.ts'
import { onHost } from './on-host.ts'
import { printOutcome } from './print-outcome.ts'

/** Puts the held keys in force again, asking no source: for a restart that was put off. */
export async function repair(invocation: Invocation): Promise<number> {
  const { flags, config, host } = await onHost(invocation, { asRoot: 'repair' })
  const now = new Date()
  const outcome = await inTurn(host, now, () => repairHost(config, now, host))
  printOutcome(outcome, flags.json)
  return exitCodeOf(outcome)
}
