import { optional } from '../basics/when-defined.ts'
import type { StepReport } from '../host/step.ts'
import type { Place } from '../sshd-config/directive.ts'
import type { KeyChanges } from './key-changes.ts'
import type { OutcomeName } from './outcome-rows.ts'

/** A CA key that the host trusts now. */
export interface TrustedKey {
  type: string
  fingerprint: string
  comment: string
  /** The file of another owner that it came from (`sshd.conflict: adopt`); absent for a bundle's. */
  adopted?: string
}

/** How one cycle ended; printed by `apply --json`, answered to the daemon and to the webhook's caller. */
export interface Outcome {
  outcome: OutcomeName
  /** Why, for programs; absent where all went well. */
  code?: string
  /** The line of the bundle that is at fault, from 1. */
  line?: number
  /** Why and what to do, for people. */
  message: string
  steps: StepReport[]
  trusted: TrustedKey[]
  /** CA keys that are dead on this host, whoever names them; absent where there are none. */
  revoked?: TrustedKey[]
  /** Which keys came and which went; absent where the same are trusted as before. */
  keys?: KeyChanges
  /** Lines that trusted the same keys by a file laid by hand; they count no more, and `remove` gives them back. */
  took_over?: Place[]
  serial?: number
  service?: { unit: string; action: 'restarted' | 'deferred' | 'none' }
  warnings?: string[]
}

/** Of anything with these fields, only these fields. */
export function trustedKeys(keys: readonly TrustedKey[]): TrustedKey[] {
  return keys.map(({ type, fingerprint, comment, adopted }) => ({
    type,
    fingerprint,
    comment,
    ...optional('adopted', adopted),
  }))
}
