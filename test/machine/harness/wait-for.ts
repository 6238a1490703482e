import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Asks `probe` again and again until its answer is neither false nor undefined, and returns
 * that answer. Rejects after `timeoutMs`, naming `what`; what the probe throws is thrown on.
 * The longer it has waited, the longer it waits for the next question, up to half a second.
 */
export async function waitFor<T>(
  what: string,
  probe: () => T | Promise<T>,
  { timeoutMs = 30_000, everyMs = 50 } = {},
): Promise<Exclude<T, false | undefined>> {
  const start = performance.now()
  for (;;) {
    const answer = await probe()
    if (answer !== false && answer !== undefined) {
      return answer as Exclude<T, false | undefined>
    }
    const waited = performance.now() - start
    if (waited > timeoutMs) throw new Error(`waited ${timeoutMs} ms for ${what}`)
    await sleep(Math.max(everyMs, Math.min(waited / 20, 500)))
  }
}
