import { parseTimespan } from '../../core/basics/time-span.ts'
import { SERVICE } from '../../core/services/unit-drop-ins.ts'
import { showUnits } from '../init/systemd/show-units.ts'
import type { Run } from '../processes/run-command.ts'
import { runCommand } from '../processes/run-command.ts'

const TIMER = 'pomerium-host-agent.timer'
const PROPERTIES = ['ActiveState', 'UnitFileState', 'NextElapseUSecMonotonic']

/** What looks at the source by itself: systemd's timer, or the daemon that stays. */
export type PollClock =
  /** `at` is missing while a poll is under way. */
  { by: 'timer'; at?: Date } | { by: 'resident'; running: boolean }

/**
 * What polls on this host, as systemd says; `undefined` where nothing does, or there is no systemd.
 * Needs no root. `monotonicMs` is CLOCK_MONOTONIC, against which systemd counts.
 */
export async function findPollClock(
  now: Date,
  monotonicMs: number,
  run: Run = runCommand,
): Promise<PollClock | undefined> {
  const asked = showUnits(run, [TIMER, SERVICE], PROPERTIES)
  const { code, units } = await asked.catch(() => ({ code: 127, units: [] }))
  const [timer, service] = code === 0 ? units : []
  // Enabled only where it stays; see `unitsToStart`.
  if (service?.get('UnitFileState') === 'enabled') {
    return { by: 'resident', running: service.get('ActiveState') === 'active' }
  }
  if (timer?.get('ActiveState') !== 'active') return undefined
  const due = parseTimespan(timer.get('NextElapseUSecMonotonic') ?? '')
  // What has gone by is being started.
  return due === undefined || due < monotonicMs || due === Number.POSITIVE_INFINITY
    ? { by: 'timer' }
    : { by: 'timer', at: new Date(now.getTime() + due - monotonicMs) }
}
