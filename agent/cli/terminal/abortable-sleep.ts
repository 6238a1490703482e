import { setTimeout as sleep } from 'node:timers/promises'

/** Sleeps so many milliseconds, or until it is told to stop. */
export async function nap(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => {})
}
