import type { Run } from '../../processes/run-command.ts'
import { parseUnits } from './systemd-units.ts'

const UNIT = 'pomerium-host-agent-restart'

export type Deferral =
  | { kind: 'scheduled' }
  /** A timer set before fires in time: one restart does for both. */
  | { kind: 'already-scheduled' }
  /** Nobody will come: the caller waits itself. */
  | { kind: 'not-scheduled'; message: string }

/**
 * Has systemd run `argv` after so many seconds, by a transient timer of which nothing stays behind
 * (`--collect`: not even where the command fails). A reboot forgets it, and restarts sshd anyway.
 */
export async function scheduleRestart(
  run: Run,
  afterSeconds: number,
  argv: readonly string[],
): Promise<Deferral> {
  const seconds = Math.max(1, Math.ceil(afterSeconds))
  // A timer is a minute late by default (AccuracySec= in systemd.timer(5)).
  const timer = [`--on-active=${seconds}s`, '--timer-property=AccuracySec=100ms']
  const unit = [`--unit=${UNIT}`, '--description=Deferred restart of sshd', '--collect', '--quiet']
  const started = await run(['systemd-run', ...timer, ...unit, '--', ...argv])
  if (started.code === 0) return { kind: 'scheduled' }
  // "already exists" with systemd 247, "was already loaded or has a fragment file" later. A service
  // that runs at this moment may have looked before the caller wrote: only a waiting timer counts.
  const names = ['--property=SubState', '--', `${UNIT}.timer`]
  const shown = await run(['systemctl', 'show', ...names])
  const waits = parseUnits(shown.stdout)[0]?.get('SubState') === 'waiting'
  return waits
    ? { kind: 'already-scheduled' }
    : { kind: 'not-scheduled', message: `systemd-run: ${started.stderr.trim()}` }
}
