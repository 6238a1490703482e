/** What keeps the webhook's service awake. */
export interface Waking {
  /** Whether a cycle is under way. */
  isBusy(): boolean
  /** Whether anybody is connected to the webhook. */
  connected(): boolean
  /** When a webhook was last answered, in milliseconds of the same clock; `undefined`: none yet. */
  lastAnswer(): number | undefined
  now(): number
  sleep(ms: number): Promise<void>
  signal: AbortSignal
}

const TICK_MS = 1_000
/** A connection that woke us is accepted within this. */
const KNOCK_MS = 5

/**
 * Returns when nobody is there and there has been no webhook for `idleMs`; at once where there was none.
 * It looks at nothing by itself: webhooks bring cycles, and the poll has a service and a clock of its own.
 */
export async function serveUntilIdle(waking: Waking, idleMs: number): Promise<void> {
  const { signal } = waking
  await waking.sleep(KNOCK_MS)
  while (!signal.aborted) {
    const busy = waking.isBusy() || waking.connected()
    const answered = waking.lastAnswer()
    if (!busy && (answered === undefined || waking.now() - answered >= idleMs)) return
    await waking.sleep(busy && answered === undefined ? KNOCK_MS * 10 : TICK_MS)
  }
}
