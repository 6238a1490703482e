/** The longest that a request is held, in seconds; whoever asks for more is told of this. */
export const MAX_WAIT_SECONDS = 600

/**
 * How long a client would wait for a change, in seconds: `Prefer: wait=N` of RFC 7240 §4.3. The first
 * of several counts (§2). `undefined` where it would not wait, or says so in a way that nobody reads.
 */
export function parseWait(prefer: string | undefined): number | undefined {
  for (const preference of (prefer ?? '').split(',')) {
    const [, seconds] = /^\s*wait\s*=\s*"?(\d{1,9})"?\s*(?:;.*)?$/i.exec(preference) ?? []
    if (seconds === undefined) continue
    const wait = Math.min(Number(seconds), MAX_WAIT_SECONDS)
    return wait === 0 ? undefined : wait
  }
  return undefined
}
