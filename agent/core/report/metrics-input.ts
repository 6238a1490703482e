import type { TrustedKey } from '../outcome/outcome.ts'
import { latestPast } from './known-times.ts'
import { addCycles, NO_POLLS, type PollRecord } from './poll-record.ts'
import type { Status } from './status-record.ts'

/** What is told to Prometheus. What is not known is left out of the text, not told as 0. */
export interface MetricsInput {
  version: string
  trusted: readonly TrustedKey[]
  /** CA keys that are dead on this host, whoever names them. */
  revoked: readonly TrustedKey[]
  /** Whether sshd goes by our keys. */
  effective?: boolean | undefined
  /** When that was last seen. */
  effectiveSeen?: Date | undefined
  /** Whether anything listens where sshd did at the last look. */
  sshdListens?: boolean | undefined
  /** Whether somebody keeps changing a file of ours. */
  contested?: boolean | undefined
  serial?: number | undefined
  issued?: Date | undefined
  expires?: Date | undefined
  /** When this host took the bundle that it holds. */
  accepted?: Date | undefined
  /** When the source last gave a bundle, new or known. */
  lastSuccess?: Date | undefined
  lastCycle?: Date | undefined
  /** How cycles ended, counted by outcome. */
  cycles: Readonly<Record<string, number>>
  restarts?: number | undefined
  /** Whether a restart was put off. */
  restartDue?: boolean | undefined
  driftRepairs?: number | undefined
  /** The source's clock less ours. */
  clockSkewSeconds?: number | undefined
}

/**
 * The same for `/metrics` and for the textfile: what the provisioner did, what the daemon saw, and
 * whether sshd listens now, without which no key is in force.
 */
export function metricsInput(
  status: Status | undefined,
  polls: PollRecord,
  version: string,
  sshdListens: boolean | undefined,
  now: Date,
): MetricsInput {
  const { held, restarts, applies = NO_POLLS } = status ?? {}
  const inForce = status?.effective?.value
  return {
    version,
    trusted: status?.trusted ?? [],
    revoked: status?.revoked ?? [],
    effective: inForce === undefined ? undefined : inForce && sshdListens !== false,
    effectiveSeen: date(status?.effective?.at),
    sshdListens,
    contested: status?.contested,
    serial: held?.serial,
    issued: date(held?.issued),
    expires: date(held?.expires),
    accepted: date(held?.acceptedAt),
    lastSuccess: date(latestPast(now, polls.lastSuccess, applies.lastSuccess)),
    lastCycle: date(latestPast(now, status?.at, polls.lastPoll?.at)),
    cycles: addCycles(polls, applies),
    restarts: restarts?.total,
    restartDue: restarts?.due,
    driftRepairs: status?.repaired,
    clockSkewSeconds: polls.clockSkewSeconds,
  }
}

const date = (text: string | undefined) => (text === undefined ? undefined : new Date(text))
