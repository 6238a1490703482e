import type { Daemon, Hint } from '../cycle/hinted-cycles.ts'
import type { CycleEnd } from '../cycle/run-cycle.ts'
import { nextPollMs } from './backoff.ts'
import { type LongPoll, waitForNews } from './long-poll.ts'

export interface Clock {
  pollMs: number
  /** From 0 to 1. */
  random(): number
  /** Milliseconds of a clock that only goes forward. */
  now(): number
  signal: AbortSignal
  sleep(ms: number): Promise<void>
}

/**
 * The resident's own clock: polls until it is told to stop, further apart while polls fail. With
 * `longPoll` the time between is spent in held requests; what they bring is a hint and no more, fetched
 * by the cycle itself: a bundle that waited for its turn may have been overtaken.
 */
export async function keepPolling(
  daemon: Pick<Daemon, 'hint'>,
  clock: Clock,
  longPoll?: LongPoll,
): Promise<void> {
  const { signal, pollMs, sleep } = clock
  const pause = (failures: number, retryAfterMs = 0) =>
    nextPollMs({ failures, pollMs, retryAfterMs, random: clock.random() })
  let failures = 0
  /** Held requests in a row that failed, or announced what was no news: nor may these make us spin. */
  let fruitless = 0
  let hint: Hint = 'start'
  while (!signal.aborted) {
    const end = await look(daemon, hint)
    const away = end === undefined || end.outcome.outcome === 'source-unavailable'
    failures = away ? failures + 1 : 0
    if (hint === 'long-poll') fruitless = end?.outcome.outcome === 'applied' ? 0 : fruitless + 1
    hint = 'timer'
    if (away || longPoll === undefined || end.etag === undefined) {
      await sleep(pause(failures, (end?.retryAfterSeconds ?? 0) * 1000))
      continue
    }
    const due = clock.now() + pause(0)
    if (fruitless > 0) await sleep(pause(fruitless))
    longPoll.onHold(due - clock.now())
    const waited = await waitForNews(end.etag, due, longPoll, clock)
    if (waited.kind === 'news') hint = 'long-poll'
    if (waited.kind === 'due' && waited.held) fruitless = 0
    if (waited.kind === 'failed') {
      fruitless += 1
      await sleep(pause(fruitless, waited.retryAfterMs))
    }
  }
}

async function look(daemon: Pick<Daemon, 'hint'>, hint: Hint): Promise<CycleEnd | undefined> {
  try {
    return await daemon.hint(hint)
  } catch {
    // Told by `onError` already; the provisioner comes back as the source does.
    return undefined
  }
}
