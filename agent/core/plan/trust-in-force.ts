import type { SshdState } from '../host/observation.ts'
import type { HostRefusalCode } from '../outcome/host-refusal.ts'
import { trustedUserCaKeys } from '../sshd-config/effective-config.ts'
import type { Plan } from './plan.ts'

/** What keeps our keys from logging anyone in though sshd names our file. */
const NAMED_IN_VAIN = new Set<HostRefusalCode>([
  'pubkey-authentication-off',
  'certificates-not-accepted',
  'ca-type-not-accepted',
  'no-principals',
  'revoked-keys-missing',
  'revoked-keys-unreadable',
])

/**
 * Whether sshd goes by our keys, as the host was found; `undefined` where that could not be seen (its
 * configuration is broken, say: the sshd that runs goes on with what it has read).
 */
export function trustInForce(sshd: SshdState, caFile: string, plan: Plan): boolean | undefined {
  if (sshd.kind !== 'readable') return undefined
  if (plan.kind === 'host-refused' && NAMED_IN_VAIN.has(plan.code)) return false
  return trustedUserCaKeys(sshd.effective) === caFile
}
