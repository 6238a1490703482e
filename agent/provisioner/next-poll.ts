import { parseTimespan } from '../core/time-span.ts'
import { runCommand } from './run-command.ts'
import type { Run } from './service/ssh-service.ts'
import { parseUnits } from './service/systemd-units.ts'

const TIMER = 'pomerium-host-agent.timer'
const PROPERTIES = ['ActiveState', 'NextElapseUSecMonotonic', 'NextElapseUSecRealtime']

/** `at` is missing while a poll is under way. */
export type TimedPoll = { at?: Date }

/**
 * When our timer fires next, as systemd says; `undefined` where it is not running. Needs no root.
 * `monotonicMs` is CLOCK_MONOTONIC, against which systemd counts.
 */
export async function nextTimedPoll(
  now: Date,
  monotonicMs: number,
  run: Run = runCommand,
): Promise<TimedPoll | undefined> {
  const flags = PROPERTIES.map(name => `--property=${name}`)
  const { code, stdout } = await run(['systemctl', 'show', ...flags, '--', TIMER]).catch(() => ({
    code: 127,
    stdout: '',
  }))
  const unit = code === 0 ? parseUnits(stdout)[0] : undefined
  if (unit?.get('ActiveState') !== 'active') return undefined
  const due = parseTimespan(unit.get('NextElapseUSecMonotonic') ?? '')
  // What has gone by is being started.
  return due === undefined || due < monotonicMs
    ? {}
    : { at: new Date(now.getTime() + due - monotonicMs) }
}
