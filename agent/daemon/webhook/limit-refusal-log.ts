import { closeSync, futimesSync, openSync, statSync } from 'node:fs'

/** How many refusals are told in a line each, at most: one in so long, in milliseconds. */
const EVERY_MS = 10_000

/**
 * Says of each refusal whether it is to be told, and how many were not before it: whoever knocks without a
 * pause fills no log. Kept as the time of an empty file, since each knock may start a process of ours; where
 * that can't be written, this process alone keeps the pace.
 */
export function limitRefusalLog(path: string, now: () => number = Date.now) {
  let last = timeOf(path)
  let untold = 0
  return (): { tell: false } | { tell: true; untold: number } => {
    const at = now()
    // From the future: the clock was set back since.
    if (last !== undefined && at >= last && at - last < EVERY_MS) {
      untold += 1
      return { tell: false }
    }
    last = at
    setTime(path, at)
    const before = untold
    untold = 0
    return { tell: true, untold: before }
  }
}

function timeOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs
}

function setTime(path: string, at: number): void {
  try {
    const fd = openSync(path, 'a', 0o644)
    try {
      futimesSync(fd, at / 1000, at / 1000)
    } finally {
      closeSync(fd)
    }
  } catch {}
}
