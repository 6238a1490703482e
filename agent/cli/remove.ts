import { exitCodeOf } from '../core/outcome.ts'
import { inTurn } from '../provisioner/in-turn.ts'
import { remove as removeFromHost } from '../provisioner/remove.ts'
import type { Invocation } from './invocation.ts'
import { onHost } from './on-host.ts'
import { printOutcome } from './print-outcome.ts'

/** Makes this host what it was before the first `apply`. */
export async function remove(invocation: Invocation): Promise<number> {
  const { flags, host } = await onHost(invocation, { asRoot: 'remove' })
  const outcome = await inTurn(host, new Date(), () => removeFromHost(host))
  printOutcome(outcome, flags.json)
  return exitCodeOf(outcome)
}
