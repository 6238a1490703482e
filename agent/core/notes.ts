import { optional } from './optional.ts'
import type { Outcome } from './outcome.ts'
import { own } from './own.ts'

/** What is counted of cycles, by the wing that began them: each cycle is counted once. */
export interface Tally {
  /** The last time the source gave a bundle, new or known. */
  lastSuccess?: string
  /** How cycles ended, since the file was begun. */
  cycles: Record<string, number>
}

/** What the daemon notes of its polls: for the next poll, for `status` and for Prometheus. */
export interface Notes extends Tally {
  version: 1
  /** The last look at the source, and how it ended. */
  lastPoll?: { at: string; outcome: Outcome['outcome']; code?: string; message: string }
  /** When the resident looks again at the latest; for who sleeps, systemd's timer knows. */
  nextPoll?: string
  /** Until then the source holds a request, and news come at once. */
  held?: boolean
  /** Of the last bundle that the provisioner took. */
  etag?: string
  /** When that ETag came; a bundle is asked for whole at least once an hour. */
  etagAt?: string
  /** The source's clock less ours, in seconds, to the second. */
  clockSkewSeconds?: number
}

export const NO_NOTES: Notes = { version: 1, cycles: {} }

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

/** What both wings have counted. */
export function addTallies(one: Tally, other: Tally): Tally {
  const names = Object.keys({ ...one.cycles, ...other.cycles })
  const sum = (name: string) => (own(one.cycles, name) ?? 0) + (own(other.cycles, name) ?? 0)
  const [lastSuccess] = [one.lastSuccess, other.lastSuccess]
    .filter(time => time !== undefined)
    .sort((a, b) => Date.parse(b) - Date.parse(a))
  return {
    ...optional('lastSuccess', lastSuccess),
    cycles: Object.fromEntries(names.map(name => [name, sum(name)])),
  }
}

/**
 * Reads the daemon's notes; none where they are damaged. Root reads them too, so that nothing in them
 * is taken for what it is not, and no control character reaches a terminal.
 */
export function parseNotes(text: string): Notes {
  try {
    const notes = JSON.parse(text, (_, value) =>
      typeof value === 'string' ? value.replaceAll(/\p{Cc}/gu, '?') : value,
    ) as Notes
    return isNotes(notes) ? notes : NO_NOTES
  } catch {
    return NO_NOTES
  }
}

function isNotes(notes: Notes): boolean {
  const { version, cycles, lastPoll, clockSkewSeconds } = notes
  const times = [notes.nextPoll, notes.lastSuccess, notes.etagAt, lastPoll?.at]
  const texts = [notes.etag, lastPoll?.code]
  return (
    version === 1 &&
    typeof cycles === 'object' &&
    cycles !== null &&
    Object.values(cycles).every(count => Number.isSafeInteger(count) && count >= 0) &&
    (lastPoll === undefined || isPoll(lastPoll)) &&
    times.every(time => time === undefined || Number.isFinite(Date.parse(time))) &&
    texts.every(value => value === undefined || typeof value === 'string') &&
    ['undefined', 'boolean'].includes(typeof notes.held) &&
    (clockSkewSeconds === undefined || Number.isFinite(clockSkewSeconds))
  )
}

function isPoll(poll: Notes['lastPoll']): boolean {
  return [poll?.at, poll?.outcome, poll?.message].every(value => typeof value === 'string')
}
