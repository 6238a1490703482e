import { callsForPause, PAUSE_MS } from '../../core/outcome/repairs.ts'
import type { Daemon } from '../cycle/hinted-cycles.ts'
import type { CycleEnd } from '../cycle/run-cycle.ts'
import { nextPollMs } from './backoff.ts'

export interface DriftParts {
  daemon: Pick<Daemon, 'hint'>
  random(): number
  signal: AbortSignal
  sleep(ms: number): Promise<void>
}

/**
 * What to call when something in the watched folders has changed. Any number of changes during one
 * look are one more look; a file that is fought over, or a repair that had to be undone, is looked at
 * once a minute; and a look that failed is tried again, since nothing else will tell of that change.
 */
export function followDrift({ daemon, random, signal, sleep }: DriftParts): () => void {
  let again = false
  let following = false
  const follow = async () => {
    let failures = 0
    while (again && !signal.aborted) {
      again = false
      const end: CycleEnd | undefined = await daemon.hint('drift').catch(() => undefined)
      failures = end === undefined ? failures + 1 : 0
      if (end === undefined) {
        again = true
        await sleep(nextPollMs({ failures, pollMs: PAUSE_MS, random: random() }))
      } else if (callsForPause(end.outcome)) {
        await sleep(PAUSE_MS)
      }
    }
    following = false
  }
  return () => {
    again = true
    if (following) return
    following = true
    void follow()
  }
}
