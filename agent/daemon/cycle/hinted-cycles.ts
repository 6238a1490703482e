import { coalesceHints } from './coalesce-hints.ts'
import type { CycleEnd } from './run-cycle.ts'

/** Why a cycle is wanted. */
export type Hint = 'start' | 'timer' | 'long-poll' | 'webhook' | 'drift'

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
export function hintedCycles(parts: DaemonParts): Daemon {
  // What came since the last cycle began; the next one does for all of it.
  let wanted = new Set<Hint>()
  const runner = coalesceHints(async () => {
    const hints = wanted
    wanted = new Set()
    try {
      return await runFor([...hints])
    } catch (error) {
      parts.onError(error)
      throw error
    }
  })
  // Drift by itself first: a source that is away, or has nothing new, would leave the host as it is.
  const runFor = async (hints: Hint[]) => {
    const [asked] = hints.filter(hint => hint !== 'drift')
    const repaired = hints.includes('drift') ? await parts.repair() : undefined
    if (repaired !== undefined) parts.onEnd(repaired, 'drift')
    if (repaired !== undefined && asked === undefined) return repaired
    const end = await parts.cycle(hints.includes('webhook'))
    parts.onEnd(end, asked ?? 'start')
    return end
  }
  return {
    hint(hint) {
      wanted.add(hint)
      return runner.hint()
    },
    isBusy: runner.isBusy,
    settled: runner.settled,
  }
}
