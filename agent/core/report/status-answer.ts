import { optional } from '../basics/when-defined.ts'
import { type TrustedKey, trustedKeys } from '../outcome/outcome.ts'
import { type Health, healthOf } from './health.ts'
import { judge, type Known, type LastCycle } from './host-health.ts'

/**
 * What a host tells of itself to whoever has the webhook's secret, as it has it written down: nothing is
 * looked at for it. Times are ISO 8601, by the host's clock. With `code` and `message` it has the form of an
 * answer, by which hosts of every version know that it is no webhook.
 */
export interface HostStatus extends Health {
  /** What `code` means here, and what to type there. */
  message: string
  /** The keys that its last look found; absent where there was none since it booted. */
  trusted?: TrustedKey[]
  /** CA keys that are dead there; absent where there are none. */
  revoked?: TrustedKey[]
  /** Of the bundle in force. */
  serial?: number
  /** Whether sshd goes by these keys, and when that was last seen. */
  effective?: { value: boolean; at: string }
  last?: LastCycle
}

export function hostStatus(known: Known): HostStatus {
  const { headline, next } = judge(known)
  const { trusted, effective, last } = known
  const status = typeof known.status === 'object' ? known.status : undefined
  return {
    ...healthOf(known),
    message: next === undefined ? headline : `${headline}; ${next}`,
    ...optional('trusted', trusted && trustedKeys(trusted)),
    ...optional('revoked', status?.revoked && trustedKeys(status.revoked)),
    ...optional('serial', status?.held?.serial),
    ...optional('effective', effective),
    ...optional('last', last),
  }
}
