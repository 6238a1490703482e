import type { Fetched } from '../../core/protocol/source.ts'

/** A source that may hold requests. */
export interface LongPoll {
  /** Asks it to answer when it has something other than `etag`, within so many seconds. */
  hold(etag: string, waitSeconds: number): Promise<Fetched>
  /** It answers at once: news come at the pace of the poll, as without long polling. */
  onHasty(): void
  /** A time of held requests begins: for so many milliseconds, if nothing new comes. */
  onHold(ms: number): void
}

/** How a time of waiting ended. */
export type Waited =
  /** The source has something else. */
  | { kind: 'news' }
  /** The next look is due, by the clock; `held`: the source held a request for us until then. */
  | { kind: 'due'; held: boolean }
  | { kind: 'failed'; retryAfterMs: number }

export interface Waiting {
  now(): number
  signal: AbortSignal
  sleep(ms: number): Promise<void>
}

/** Below what proxies and address translation on the way take for a dead connection. */
const LONGEST_WAIT_SECONDS = 60
/** A source that answers sooner than this, with nothing new, does not hold requests. */
const HELD_MS = 5_000

/**
 * Holds requests at the source until it has something new or `due` (milliseconds of `now`) has come.
 * Where the source knows nothing of `Prefer`, which RFC 7240 §2 leaves it free to, this is a sleep.
 */
export async function waitForNews(
  etag: string,
  due: number,
  { hold, onHasty }: LongPoll,
  { now, signal, sleep }: Waiting,
): Promise<Waited> {
  let held = false
  for (;;) {
    const left = due - now()
    const wait = Math.min(LONGEST_WAIT_SECONDS, Math.floor(left / 1000))
    if (signal.aborted || wait < 1) break
    const asked = now()
    const reply = await ask(hold, etag, wait)
    held = now() - asked >= Math.min(HELD_MS, wait * 1000 - 500)
    if (reply?.kind === 'bundle' && reply.etag !== etag) return { kind: 'news' }
    if (reply?.kind !== 'bundle' && reply?.kind !== 'not-modified') {
      const seconds = reply?.kind === 'unavailable' ? reply.retryAfterSeconds : undefined
      return { kind: 'failed', retryAfterMs: (seconds ?? 0) * 1000 }
    }
    if (held) continue
    onHasty()
    break
  }
  await sleep(Math.max(0, due - now()))
  return { kind: 'due', held }
}

// What throws here (a token that can't be read) throws in the next cycle too, and is told there.
async function ask(
  hold: LongPoll['hold'],
  etag: string,
  wait: number,
): Promise<Fetched | undefined> {
  try {
    return await hold(etag, wait)
  } catch {
    return undefined
  }
}
