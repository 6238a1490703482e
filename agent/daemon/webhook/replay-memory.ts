import { type Attempt, TOLERANCE_SECONDS } from '../../http/webhook-attempt.ts'
import {
  appendToReplayFile,
  type ReplayAppender,
  readReplayFile,
  rewriteReplayFile,
} from './replay-file.ts'

/** Remembers which attempts came already, for as long as their signature would pass. */
export interface ReplayMemory {
  /**
   * Whether this attempt is new, and remembers it: once this returns, a killed process has not
   * forgotten it. Throws where it can't be written, and has then not taken it.
   */
  note(attempt: Attempt): 'new' | 'seen' | 'full'
  close(): void
}

export interface ReplayMemoryOptions {
  /** Ours alone; its folder is made. */
  path: string
  /** Milliseconds since the epoch. */
  now?: () => number
  /** How many attempts it holds; when all may still come again, new ones are put off. */
  most?: number
}

// A clock that is set back a little does not bring back what was just forgotten.
const LASTS_SECONDS = TOLERANCE_SECONDS + 60
const MOST = 16_384
/** The file is rewritten at this many lines, or at twice what counted when it was last gone through. */
const REWRITE_AT = 1024

/**
 * A memory in a file, read when the first webhook comes: this process sleeps between webhooks, and a
 * captured one is good for ten minutes (five back, five ahead).
 *
 * One attempt is what was signed: id, timestamp and body. A sender that retries keeps the id and signs
 * anew with the time of the new attempt ("Webhook metadata" of Standard Webhooks 1.0.0), so its retry
 * is new and makes one more hint, which harms nothing; the same attempt a second time is a replay.
 *
 * A damaged file may have lost any attempt: nothing signed up to now is believed then. An honest
 * sender tries again seconds later, with a new timestamp. A line cut at the end is no damage.
 *
 * Nothing is synced to the disk: a write outlives the process, and who loses power polls at boot,
 * which is all that a replay could bring about.
 */
export function openReplayMemory({
  path,
  now = Date.now,
  most = MOST,
}: ReplayMemoryOptions): ReplayMemory {
  const seen = new Map<string, number>()
  let floor = 0
  let lines = 0
  let rewriteAt = REWRITE_AT
  let loaded = false
  let file: ReplayAppender | undefined

  const seconds = () => Math.floor(now() / 1000)
  const load = () => {
    const record = readReplayFile(path)
    for (const { digest, signedAt } of record.attempts) seen.set(digest, signedAt)
    lines = record.lines
    // One from the future was written before the clock was set back, and would shut everybody out.
    floor = record.floor <= seconds() ? record.floor : 0
    if (record.damaged) {
      floor = seconds()
      lines = Number.POSITIVE_INFINITY
    }
    loaded = true
    forget()
  }
  const forget = () => {
    const oldest = seconds() - LASTS_SECONDS
    for (const [digest, signedAt] of seen) if (signedAt < oldest) seen.delete(digest)
    rewriteAt = Math.max(REWRITE_AT, 2 * seen.size)
  }
  const rewrite = () => {
    file?.close()
    file = undefined
    forget()
    const attempts = [...seen].map(([digest, signedAt]) => ({ digest, signedAt }))
    file = rewriteReplayFile(path, attempts, floor)
    lines = attempts.length
  }
  const write = (attempt: Attempt) => {
    if (lines === 0 || lines >= rewriteAt) rewrite()
    file ??= appendToReplayFile(path)
    file.append(attempt)
    lines += 1
  }

  return {
    note(attempt) {
      if (!loaded) load()
      if (attempt.signedAt <= floor || seen.has(attempt.digest)) return 'seen'
      if (seen.size >= most) forget()
      if (seen.size >= most) return 'full'
      try {
        write(attempt)
      } catch (error) {
        // Half a line may stand there: the next one begins with a whole file.
        lines = Number.POSITIVE_INFINITY
        throw error
      }
      seen.set(attempt.digest, attempt.signedAt)
      return 'new'
    },
    close() {
      file?.close()
      file = undefined
    },
  }
}
