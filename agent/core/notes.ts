import type { Outcome } from './outcome.ts'

/** What the daemon notes of its polls: for the next poll, for `status` and for Prometheus. */
export interface Notes {
  version: 1
  /** The last look at the source, and how it ended. */
  lastPoll?: { at: string; outcome: Outcome['outcome']; code?: string; message: string }
  /** When the resident looks again at the latest; for who sleeps, systemd's timer knows. */
  nextPoll?: string
  /** Until then the source holds a request, and news come at once. */
  held?: boolean
  /** The last time the source gave a bundle, new or known. */
  lastSuccess?: string
  /** Of the last bundle that the provisioner took. */
  etag?: string
  /** When that ETag came; a bundle is asked for whole at least once an hour. */
  etagAt?: string
  /** The source's clock less ours, in seconds, to the second. */
  clockSkewSeconds?: number
  /** How cycles ended, since the file was begun. */
  cycles: Record<string, number>
}

export const NO_NOTES: Notes = { version: 1, cycles: {} }

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
