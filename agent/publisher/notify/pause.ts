/** The first and the longest pause, in milliseconds. */
const PAUSES = {
  // Its network or the host is down, and that takes what it takes.
  unreachable: { first: 1_000, most: 15_000 },
  // It is there: a cycle, a cache or a restart is to end.
  waiting: { first: 500, most: 5_000 },
}

/**
 * How long to wait before the next attempt, in milliseconds: doubling, with a random share of up to a
 * half taken off, and never less than the host asked for. `attempt` counts from 1, `random` is 0 to 1.
 */
export function pauseMs(
  state: keyof typeof PAUSES,
  attempt: number,
  random: number,
  retryAfterMs = 0,
): number {
  const { first, most } = PAUSES[state]
  const ceiling = Math.min(most, first * 2 ** Math.min(attempt - 1, 20))
  return Math.max(Math.round(ceiling * (1 - random / 2)), retryAfterMs)
}
