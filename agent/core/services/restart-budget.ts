import { number, shape } from '../basics/stored-form.ts'

/** More than `burst` starts within `intervalSeconds` leave a unit failed (systemd.unit(5)). */
export interface StartLimit {
  burst: number
  intervalSeconds: number
}

export const isStartLimit = shape({ burst: number, intervalSeconds: number })

export type Allowance = { kind: 'now' } | { kind: 'wait'; untilMs: number }

// systemd counts a start when it begins it, a moment after we have written it down.
const MARGIN_MS = 1_000

/**
 * Whether a restart for a change fits under the unit's limit now, or when. Of `burst` starts two stay
 * free: one for the rollback of that very restart, one for a person. A rollback therefore never
 * asks, with a burst of 3 or more; a smaller one allows us a single restart within the interval.
 * `restarts` are our own, of both kinds, in milliseconds since the epoch; those from the future were
 * written before the clock was set back, and tell nothing.
 */
export function allowRestart(
  restarts: readonly number[],
  nowMs: number,
  limit: StartLimit | undefined,
): Allowance {
  const budget = budgetOf(restarts, nowMs, limit)
  const blocking = budget?.counted.at(-budget.most)
  return budget === undefined || blocking === undefined
    ? { kind: 'now' }
    : { kind: 'wait', untilMs: blocking + budget.windowMs }
}

/** How many restarts fit in the window, and those that stand in it now; `undefined`: no limit. */
export function budgetOf(
  restarts: readonly number[],
  nowMs: number,
  limit: StartLimit | undefined,
): { most: number; counted: number[]; windowMs: number } | undefined {
  if (limit === undefined || limit.burst <= 0 || limit.intervalSeconds <= 0) return undefined
  const windowMs = limit.intervalSeconds * 1000 + MARGIN_MS
  const counted = restarts
    .filter(at => at <= nowMs && at > nowMs - windowMs)
    .sort((earlier, later) => earlier - later)
  return { most: Math.max(1, limit.burst - 2), counted, windowMs }
}
