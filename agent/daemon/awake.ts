import type { Daemon } from './daemon.ts'

/** What keeps the daemon awake, and what it looks at while it is. */
export interface Waking {
  daemon: Pick<Daemon, 'hint' | 'isBusy'>
  /** Whether anybody is connected to the webhook. */
  connected(): boolean
  /** When a webhook was last answered, in milliseconds of the same clock; `undefined`: none yet. */
  lastAnswer(): number | undefined
  /** Whether the source was last looked at longer ago than the poll interval. */
  isDue(): boolean
  now(): number
  sleep(ms: number): Promise<void>
  signal: AbortSignal
}

const TICK_MS = 1_000
/** A connection that woke us is accepted within this; its webhook then brings the cycle. */
const KNOCK_MS = 5

/**
 * Serves what comes and returns when there has been nothing for `idleMs`, or at once where it was
 * not a webhook that woke us. While awake the poll's own clock goes on: systemd's timer can't start
 * what runs already, and whoever keeps us awake by knocking must not keep us from polling.
 */
export async function serveWhileAwake(waking: Waking, idleMs: number): Promise<void> {
  const { daemon, signal } = waking
  // What throws has been told by `onError`; the next look is the answer to it.
  const look = (hint: 'start' | 'timer') => void daemon.hint(hint).catch(() => {})
  await waking.sleep(KNOCK_MS)
  if (waking.isDue() || !waking.connected()) look('start')
  while (!signal.aborted) {
    const busy = daemon.isBusy() || waking.connected()
    const answered = waking.lastAnswer()
    if (!busy && (answered === undefined || waking.now() - answered >= idleMs)) return
    await waking.sleep(busy && answered === undefined ? KNOCK_MS * 10 : TICK_MS)
    if (!daemon.isBusy() && waking.isDue()) look('timer')
  }
}
