import { allowRestart, type StartLimit } from '../../core/services/restart-budget.ts'
import type { RestartHistory } from './restart-history.ts'
import type { Clock, SshService } from './ssh-service.ts'

/**
 * The longest wait, in milliseconds. A unit with a longer interval than that is restarted all the
 * same: sshd with an old configuration is worse than a limit that is hit, which `restart` makes good.
 */
const MOST_WAIT_MS = 60_000

export interface Restarter {
  service: SshService
  history: RestartHistory
  clock: Clock
}

/**
 * Restarts sshd for a change that can't do without, once the budget allows it. `rollback` does not
 * wait, for the budget keeps room for it: sshd may be down.
 */
export async function restartWithinBudget(
  { service, history, clock }: Restarter,
  use: 'change' | 'rollback',
): Promise<void> {
  const limit = use === 'rollback' ? undefined : await service.limit()
  const start = clock.now()
  for (let waited = 0; ; ) {
    const allowance = allowRestart(history.read().recent, clock.now(), limit)
    if (allowance.kind === 'now' || waited >= MOST_WAIT_MS) break
    const ms = Math.min(allowance.untilMs - clock.now(), start + MOST_WAIT_MS - clock.now())
    const sleep = Math.min(Math.max(ms, 1), MOST_WAIT_MS)
    await clock.sleep(sleep)
    waited += sleep
  }
  await restartAndRemember(
    { service, history, clock },
    use === 'rollback' ? history.read().limit : limit,
  )
}

/**
 * Restarts sshd for a change that is in force already (keys, which sshd reads anew at every login),
 * or says when the budget allows it; the caller remembers that a restart is due.
 */
export async function restartOrDefer(
  restarter: Restarter,
): Promise<{ kind: 'restarted' } | { kind: 'deferred'; untilMs: number }> {
  const { service, history, clock } = restarter
  const limit = await service.limit()
  const allowance = allowRestart(history.read().recent, clock.now(), limit)
  if (allowance.kind === 'wait') return { kind: 'deferred', untilMs: allowance.untilMs }
  await restartAndRemember(restarter, limit)
  return { kind: 'restarted' }
}

// Written down first: a start that nobody remembers is one too many for the unit.
async function restartAndRemember(
  { service, history, clock }: Restarter,
  limit: StartLimit | undefined,
): Promise<void> {
  history.add(clock.now(), limit)
  await service.restart()
}
