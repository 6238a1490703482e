import { own } from '../basics/own-property.ts'
import {
  count,
  type Form,
  flag,
  mapOf,
  number,
  oneOf,
  parseForm,
  shape,
  text,
  time,
} from '../basics/stored-form.ts'
import { optional } from '../basics/when-defined.ts'
import type { Outcome } from '../outcome/outcome.ts'
import { OUTCOME_NAMES, type OutcomeName } from '../outcome/outcome-rows.ts'

/** What is counted of cycles, by the wing that began them: each cycle is counted once. */
export interface Tally {
  /** The last time the source gave a bundle, new or known. */
  lastSuccess?: string
  /** How cycles ended, since the file was begun. */
  cycles: Record<string, number>
}

/** What the daemon notes of its polls: for the next poll, for `status` and for Prometheus. */
export interface PollRecord extends Tally {
  version: 1
  /** The last look at the source, and how it ended. */
  lastPoll?: { at: string; outcome: OutcomeName; code?: string; message: string }
  /** When the resident looks again at the latest; for who sleeps, systemd's timer knows. */
  nextPoll?: string
  /** Until then the source holds a request, and news come at once. */
  held?: boolean
  /** The source has asked to be asked no sooner (`Retry-After`). */
  notBefore?: string
  /** Of the last bundle that the provisioner took. */
  etag?: string
  /** When that ETag came; a bundle is asked for whole at least once an hour. */
  etagAt?: string
  /** The source's clock less ours, in seconds, to the second. */
  clockSkewSeconds?: number
}

export const NO_POLLS: PollRecord = { version: 1, cycles: {} }

/** One more cycle; `gave` is the time (ISO 8601) at which the source gave a bundle, if it did. */
export function counted(
  { lastSuccess, cycles }: Tally,
  { outcome }: Pick<Outcome, 'outcome'>,
  gave: string | undefined,
): Tally {
  return {
    ...optional('lastSuccess', gave ?? lastSuccess),
    cycles: { ...cycles, [outcome]: (own(cycles, outcome) ?? 0) + 1 },
  }
}

/** Until when (ISO 8601) the source is to be left alone, as it asked; `undefined`: it may be asked now. */
export function askedToWait({ notBefore, lastPoll }: PollRecord, now: Date): string | undefined {
  if (notBefore === undefined || lastPoll === undefined) return undefined
  // Asked in the future: a clock has been set back since, by nobody knows how much.
  const isOver = Date.parse(notBefore) <= now.getTime() || Date.parse(lastPoll.at) > now.getTime()
  return isOver ? undefined : notBefore
}

/** How many cycles both wings have counted. */
export function addCycles(one: Tally, other: Tally): Tally['cycles'] {
  const names = Object.keys({ ...one.cycles, ...other.cycles })
  const sum = (name: string) => (own(one.cycles, name) ?? 0) + (own(other.cycles, name) ?? 0)
  return Object.fromEntries(names.map(name => [name, sum(name)]))
}

// As an HTTP header can carry it (RFC 9110, 8.8.3): it is sent back.
const etag: Form<string> = (value): value is string =>
  typeof value === 'string' && /^[\x20-\x7e]*$/.test(value)

const isPollRecord = shape(
  { version: oneOf(1), cycles: mapOf(count) },
  {
    lastSuccess: time,
    lastPoll: shape({ at: time, outcome: oneOf(...OUTCOME_NAMES), message: text }, { code: text }),
    nextPoll: time,
    notBefore: time,
    held: flag,
    etag,
    etagAt: time,
    clockSkewSeconds: number,
  },
)

/**
 * Reads the daemon's notes; none where they are damaged. Root reads them too, so that nothing in them
 * is taken for what it is not, and no control character reaches a terminal.
 */
export function parsePollRecord(json: string): PollRecord {
  const polls = parseForm(json, isPollRecord) as PollRecord | undefined
  return polls === undefined ? NO_POLLS : (withoutControls(polls) as PollRecord)
}

function withoutControls(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value), (_, each) =>
    typeof each === 'string' ? each.replaceAll(/\p{Cc}/gu, '?') : each,
  )
}
