import type { Outcome } from './outcome.ts'
import { failureOf } from './outcome-rows.ts'

/** A file that somebody else changed and that was put right again. */
export interface Repair {
  path: string
  at: string
}

/** Five repairs of one file in ten minutes are an accident; the sixth would be a fight. */
const MOST = 5
const WINDOW_MS = 10 * 60_000

export function recentRepairs(repairs: readonly Repair[], now: Date): Repair[] {
  return repairs.filter(({ at }) => {
    const age = now.getTime() - Date.parse(at)
    // Those from the future were written before the clock was set back.
    return age >= 0 && age < WINDOW_MS
  })
}

/** The first of `paths` that somebody keeps writing back; it is left to them for a while, and said. */
export function contestedPath(
  paths: readonly string[],
  repairs: readonly Repair[],
  now: Date,
): string | undefined {
  const recent = recentRepairs(repairs, now)
  return paths.find(path => recent.filter(repair => repair.path === path).length >= MOST)
}

/** What is said of such a file, by a repair that leaves it and by an `apply` that does not. */
export function describeFight(path: string): string {
  return `${FIGHT} ${path}; find out who, and stop one of us`
}

const FIGHT = 'somebody keeps changing'

/** Before the next look at a host that a look does not mend; a watch sees what we write ourselves too. */
export const PAUSE_MS = 60_000

/**
 * Whether to wait before drift is looked at again: somebody writes back, or what we write is undone.
 * Both wake the watch, which would have us restart sshd without end.
 */
export function callsForPause(end: Pick<Outcome, 'outcome' | 'code' | 'warnings'>): boolean {
  const { code, warnings = [] } = end
  const fights = code === 'contested' || warnings.some(warning => warning.startsWith(FIGHT))
  return fights || failureOf(end) === 'step'
}
