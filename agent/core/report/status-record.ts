import { own } from '../basics/own-property.ts'
import {
  count,
  flag,
  listOf,
  mapOf,
  number,
  oneOf,
  parseForm,
  shape,
  text,
  time,
} from '../basics/stored-form.ts'
import { optional } from '../basics/when-defined.ts'
import type { Outcome, TrustedKey } from '../outcome/outcome.ts'
import { failureOf, OUTCOME_NAMES } from '../outcome/outcome-rows.ts'
import { isStartLimit } from '../services/restart-budget.ts'
import { isSigner, type Signer } from '../trust/signer.ts'
import type { Tally } from './poll-record.ts'

/** A key that this host trusts, and since when; times are ISO 8601, as everywhere in these files. */
export interface HeldKey extends TrustedKey {
  since?: string
}

/** The bundle in force. */
export interface HeldStatus {
  /** A URL without its query, by the provisioner's own config. */
  source: string
  acceptedAt: string
  serial?: number
  issued?: string
  expires?: string
  signer?: Signer
}

/** What our restarts of sshd have used of the unit's start limit; see `allowRestart`. */
export interface RestartStatus {
  /** Ever made. */
  total: number
  /** The last ones, in milliseconds since the epoch. */
  recent: readonly number[]
  /** The unit's limit, as it was at the last one. */
  limit?: { burst: number; intervalSeconds: number }
  /** One was put off, and is still to be made. */
  due: boolean
}

/** What the provisioner tells everybody on the host: how its last turn ended, and what it holds. */
export interface Status {
  version: 1
  at: string
  outcome: Outcome
  trusted: readonly HeldKey[]
  /** CA keys that are dead on this host; absent where there are none. */
  revoked?: readonly TrustedKey[]
  held?: HeldStatus
  /** Whether sshd goes by our keys, and when that was last seen; absent where it never was. */
  effective?: { value: boolean; at: string }
  /** The ports on which sshd listened when it was last looked at, or was to. */
  ports?: readonly number[]
  /** Somebody keeps changing a file of ours. */
  contested: boolean
  restarts: RestartStatus
  /** How many files were ever put right after somebody else had changed them. */
  repaired: number
  /** Cycles that were begun on the root side: by `apply`. The daemon's own are in its notes. */
  applies?: Tally
  /** By `remove`, until `apply` or `configure`. */
  standsDown?: boolean
}

/** What a turn comes to, and what it has seen of sshd on the way. */
export interface Turn {
  outcome: Outcome
  /** Whether sshd goes by our keys, where this turn has seen it. */
  effective?: boolean
  /** The ports on which sshd listens, or is to; where this turn has seen it. */
  ports?: readonly number[]
}

/** What a turn knows when it ends. */
export interface TurnEnd extends Turn {
  at: string
  held?: HeldStatus & { since?: Readonly<Record<string, string>> }
  restarts: RestartStatus
  repaired: number
  applies?: Tally
  standsDown?: boolean
}

/** The status after a turn; what it did not look at stands as it was. */
export function statusAfter(end: TurnEnd, before: Status | undefined): Status {
  const {
    at,
    outcome,
    held: { since, ...held } = {},
    restarts,
    repaired,
    applies,
    standsDown,
  } = end
  const effective = effectiveAfter(end, before)
  return {
    version: 1,
    at,
    outcome,
    trusted: outcome.trusted.map(key => ({
      ...key,
      ...optional('since', since && own(since, key.fingerprint)),
    })),
    ...optional('revoked', outcome.revoked),
    ...('source' in held ? { held: held as HeldStatus } : {}),
    ...(effective === undefined ? {} : { effective }),
    ...optional('ports', end.ports ?? before?.ports),
    // A turn that failed on the source never came to look at the host.
    contested:
      failureOf(outcome) === 'source' ? (before?.contested ?? false) : outcome.code === 'contested',
    restarts,
    repaired,
    ...optional('applies', applies),
    ...optional('standsDown', standsDown),
  }
}

function effectiveAfter(
  { at, outcome, effective }: TurnEnd,
  before: Status | undefined,
): Status['effective'] {
  // What was undone proves nothing of what stands now, and what could not be undone still less.
  if (outcome.outcome === 'rollback-failed') return undefined
  if (outcome.outcome === 'rolled-back' || effective === undefined) return before?.effective
  return { value: effective, at }
}

const isKey = shape({ type: text, fingerprint: text, comment: text }, { adopted: text })
const isTally = shape({ cycles: mapOf(count) }, { lastSuccess: time })
const isOutcome = shape(
  {
    outcome: oneOf(...OUTCOME_NAMES),
    message: text,
    steps: listOf(shape({ do: text, why: text })),
    trusted: listOf(isKey),
  },
  {
    code: text,
    warnings: listOf(text),
    serial: count,
    revoked: listOf(isKey),
    took_over: listOf(shape({ file: text, line: count })),
  },
)
const isStatus = shape(
  {
    version: oneOf(1),
    at: time,
    outcome: isOutcome,
    trusted: listOf(
      shape({ type: text, fingerprint: text, comment: text }, { since: time, adopted: text }),
    ),
    contested: flag,
    restarts: shape({ total: count, recent: listOf(number), due: flag }, { limit: isStartLimit }),
    repaired: count,
  },
  {
    held: shape(
      { source: text, acceptedAt: time },
      { serial: count, issued: time, expires: time, signer: isSigner },
    ),
    revoked: listOf(isKey),
    effective: shape({ value: flag, at: time }),
    applies: isTally,
    standsDown: flag,
    ports: listOf(count),
  },
)

/** Reads what `statusAfter` made; `undefined` where it is damaged, or of another form. */
export function parseStatus(json: string): Status | undefined {
  return parseForm(json, isStatus) as Status | undefined
}
