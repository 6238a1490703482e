import { exitCodeOf } from '../core/outcome/outcome-rows.ts'
import { callsForPause, PAUSE_MS } from '../core/outcome/repairs.ts'
import { runExclusively } from '../provisioner/exclusive-run.ts'
import { beforeStart } from '../provisioner/host/budgeted-restarts.ts'
import { repair as repairHost } from '../provisioner/repair.ts'
import { onHost } from './host/open-command-host.ts'
import { nap } from './terminal/abortable-sleep.ts'
import type { Invocation } from './terminal/invocation.ts'
import { isJournal } from './terminal/is-journal.ts'
import { printOutcome } from './terminal/print-outcome.ts'
import { stopSignal } from './terminal/stop-signal.ts'

/**
 * Puts the held keys in force again, asking no source: after drift, or for a restart that was put
 * off. In the journal it is a line of the log, as all else there, and none where there was nothing to do.
 * `--watched`: woken by a watch. `--boot`: before sshd starts.
 */
export async function repair(invocation: Invocation): Promise<number> {
  const watched = invocation.args.includes('--watched')
  const boot = invocation.args.includes('--boot')
  const args = invocation.args.filter(arg => !['--watched', '--boot'].includes(arg))
  // What has begun is finished: nobody who stops the service cuts it off in the middle.
  const signal = watched ? stopSignal() : undefined
  const opened = await onHost({ ...invocation, args }, { asRoot: 'repair' })
  const { flags, config } = opened
  const host = boot ? { ...opened.host, service: beforeStart(opened.host.service) } : opened.host
  const now = new Date()
  const outcome = await runExclusively(host, now, () => repairHost(config, now, host))
  if (flags.json || !isJournal(2, invocation.environment)) printOutcome(outcome, flags.json)
  else if (outcome.outcome !== 'unchanged') {
    // Loaded late: mostly there is nothing to say.
    const { logEnd, openLog } = await import('./terminal/log.ts')
    logEnd(await openLog(), { outcome, quiet: false }, 'drift')
  }
  // While this waits, nothing wakes it again: neither who keeps writing our files, nor our own undoing.
  if (signal !== undefined && callsForPause(outcome)) await nap(PAUSE_MS, signal)
  return exitCodeOf(outcome)
}
