import { nextPollMs } from './backoff.ts'
import type { CycleEnd } from './cycle.ts'
import { createRunner } from './runner.ts'

/** Why a cycle is wanted. */
export type Hint = 'start' | 'timer' | 'webhook' | 'drift'

export interface DaemonParts {
  /** One whole cycle; `hinted` where somebody says that the source has something new. */
  cycle(hinted: boolean): Promise<CycleEnd>
  /** A look at the host alone. */
  repair(): Promise<CycleEnd>
  /** Every cycle's end, in order. */
  onEnd(end: CycleEnd, hint: Hint): void
  /** A cycle that threw: the provisioner could not be asked. */
  onError(error: unknown): void
}

export interface Daemon {
  hint(hint: Hint): Promise<CycleEnd>
  isBusy(): boolean
  settled(): Promise<void>
}

/** Hints in, cycles out, whoever gives them. */
export function createDaemon(parts: DaemonParts): Daemon {
  // What came since the last cycle began; the next one does for all of it.
  let wanted = new Set<Hint>()
  const runner = createRunner(async () => {
    const hints = wanted
    wanted = new Set()
    const source = [...hints].some(hint => hint !== 'drift')
    try {
      const end = source ? await parts.cycle(hints.has('webhook')) : await parts.repair()
      parts.onEnd(end, [...hints][0] ?? 'start')
      return end
    } catch (error) {
      parts.onError(error)
      throw error
    }
  })
  return {
    hint(hint) {
      wanted.add(hint)
      return runner.hint()
    },
    isBusy: runner.isBusy,
    settled: runner.settled,
  }
}

export interface Clock {
  pollMs: number
  random(): number
  signal: AbortSignal
  sleep(ms: number): Promise<void>
}

/** The resident's own clock: polls until it is told to stop, further apart while polls fail. */
export async function keepPolling(daemon: Daemon, clock: Clock): Promise<void> {
  let failures = 0
  let retryAfterMs = 0
  while (!clock.signal.aborted) {
    try {
      const end = await daemon.hint('timer')
      const failed = end.outcome.outcome === 'source-unavailable'
      failures = failed ? failures + 1 : 0
      retryAfterMs = (end.retryAfterSeconds ?? 0) * 1000
    } catch {
      // Told by `onError` already; the provisioner comes back as the source does.
      failures += 1
    }
    const { pollMs } = clock
    await clock.sleep(nextPollMs({ failures, pollMs, retryAfterMs, random: clock.random() }))
  }
}
