import type { TrustedKey } from '../../core/outcome/outcome.ts'
import { isGood } from '../../core/outcome/outcome-rows.ts'
import type { HostOutcome } from './read-outcome.ts'
import type { Reply } from './reply.ts'

/** What a host shall have come to: these keys, from this publication. */
export interface Wanted {
  fingerprints: readonly string[]
  serial?: number
  /**
   * Keys that it must no longer trust, be they adopted there; not given, all others but those.
   */
  gone?: readonly string[]
  /** Keys that must be dead there, whoever names them. */
  revoked?: readonly string[]
}

/** Where a host stands. */
export interface Standing {
  state:
    | 'converged'
    /** On its way: asked again until time is up. */
    | 'waiting'
    | 'unreachable'
    /** It said no, and would say it again. */
    | 'failed'
  code?: string
  message: string
  trusted?: TrustedKey[]
  serial?: number
  /** Whether sshd goes by these keys; absent where the host does not say. */
  effective?: boolean
  retryAfterMs?: number
}

/**
 * What a reply means. An older copy of the bundle, from a cache in front of the source, is no failure:
 * a host never goes back for it, and has the new one when the cache has.
 */
export function judgeReply(reply: Reply, wanted: Wanted | undefined): Standing {
  switch (reply.kind) {
    case 'outcome':
      return { ...trustSaid(reply.outcome), ...judgeOutcome(reply.outcome, wanted) }
    case 'pending':
      return { state: 'waiting', code: 'pending', message: 'still at it' }
    case 'unreachable': {
      const { code, message, retryAfterMs } = reply
      const later = retryAfterMs === undefined ? {} : { retryAfterMs }
      return { state: 'unreachable', code, message, ...later }
    }
    case 'rejected':
      return { state: 'failed', code: reply.code, message: reply.message }
  }
}

function trustSaid({ trusted, serial }: HostOutcome) {
  return { trusted, ...(serial === undefined ? {} : { serial }) }
}

function judgeOutcome(outcome: HostOutcome, wanted: Wanted | undefined): Standing {
  const { message, code = outcome.outcome } = outcome
  if (isGood(outcome)) return judgeTrust(outcome, wanted)
  if (outcome.outcome === 'source-unavailable') return { state: 'waiting', code, message }
  if (outcome.outcome === 'refused' && OLDER_COPY.has(code) && wanted !== undefined) {
    return { state: 'waiting', code, message: `an older copy is served to it: ${message}` }
  }
  return { state: 'failed', code, message }
}

/** How a host refuses what a stale cache still serves. */
const OLDER_COPY = new Set(['rollback', 'serial-missing', 'expired'])

function judgeTrust(outcome: HostOutcome, wanted: Wanted | undefined): Standing {
  const { service, message } = outcome
  if (wanted !== undefined) {
    const lacking = judgeHeld(outcome, wanted)
    if (lacking !== undefined) return lacking
  }
  // The new keys are in their file; that sshd reads the file may be what the restart is for.
  if (service?.action === 'deferred') {
    const why = 'the restart of sshd is put off, to stay below its start limit'
    return { state: 'waiting', code: 'restart-deferred', message: why }
  }
  return { state: 'converged', message, effective: true }
}

/** What is not as wanted of the keys that a host trusts; those of its bundle are not adopted ones. */
function judgeHeld(
  { trusted, revoked, serial }: HostOutcome,
  wanted: Wanted,
): Standing | undefined {
  const ofBundle = trusted.filter(({ adopted }) => adopted === undefined)
  const held = new Set(ofBundle.map(({ fingerprint }) => fingerprint))
  const { fingerprints, gone } = wanted
  const isOtherSerial = wanted.serial !== undefined && serial !== wanted.serial
  const isOther =
    isOtherSerial ||
    !fingerprints.every(each => held.has(each)) ||
    (gone === undefined && held.size !== fingerprints.length)
  if (isOther) {
    const has = serial === undefined ? 'another bundle' : `serial ${serial}`
    const not = isOtherSerial ? ` and not ${wanted.serial}` : ', with other keys'
    const why = `it was served ${has}${not}: a cache in front of the source, or nothing published yet?`
    return { state: 'waiting', code: 'other-bundle', message: why }
  }
  const still = trusted.find(({ fingerprint }) => gone?.includes(fingerprint) === true)
  if (still === undefined) return judgeRevoked(revoked, wanted)
  // It has the bundle, and would say the same again: only a person takes that line away.
  const { adopted } = still
  const why =
    adopted === undefined
      ? 'it has the new bundle and still trusts the old key: look there at what sshd goes by'
      : `it still trusts the old key: take that out of ${adopted}`
  return { state: 'failed', code: 'old-key-trusted', message: why }
}

// It has the bundle, and what the bundle revokes does not lie in its list.
function judgeRevoked(revoked: HostOutcome['revoked'], wanted: Wanted): Standing | undefined {
  const alive = stillAlive(revoked, wanted)
  if (alive === undefined) return undefined
  const message = `it has the new bundle and does not say that ${alive} is revoked: look there`
  return { state: 'failed', code: 'not-revoked', message }
}

/** The fingerprint of a key that is to be dead, and that a host does not name as dead. */
export function stillAlive(
  revoked: readonly TrustedKey[] = [],
  { revoked: wanted = [] }: Wanted,
): string | undefined {
  const dead = new Set(revoked.map(({ fingerprint }) => fingerprint))
  return wanted.find(fingerprint => !dead.has(fingerprint))
}
