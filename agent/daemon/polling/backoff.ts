/** How long to wait after failures, in milliseconds, and the chance that spreads a fleet. */
export interface BackoffInput {
  /** Failures in a row; 0 after a success. */
  failures: number
  /** The time between polls when all is well. */
  pollMs: number
  /** What the source asked for with its failure. */
  retryAfterMs?: number
  /** From 0 to 1. */
  random: number
}

const FIRST_MS = 1_000

/**
 * When to poll next. After a success the poll interval, less up to a tenth of it; after failures
 * full jitter (a random share of a doubling ceiling), so that a fleet does not come back at once;
 * never sooner than the source asked for.
 */
export function nextPollMs({ failures, pollMs, retryAfterMs = 0, random }: BackoffInput): number {
  if (failures === 0) return Math.round(pollMs * (1 - random / 10))
  const ceiling = Math.min(pollMs, FIRST_MS * 2 ** Math.min(failures, 20))
  return Math.round(Math.max(ceiling * random, retryAfterMs, 100))
}
