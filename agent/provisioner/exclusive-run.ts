import { isThrown } from '../core/basics/agent-error.ts'
import { describeFailure, messageOf } from '../core/outcome/failures.ts'
import { refuseHost } from '../core/outcome/host-refusal.ts'
import type { Outcome } from '../core/outcome/outcome.ts'
import { stopped, warned } from '../core/outcome/outcomes.ts'
import type { Turn } from '../core/report/status-record.ts'
import { errorCode } from './files/file-system.ts'
import type { Host } from './host/host.ts'
import { trustOnHost } from './records/keys-on-host.ts'
import { publishStatus } from './records/status-file.ts'
import { writeTextfile } from './records/textfile.ts'
import { hasJournal } from './transaction/journal.ts'
import { takeLock } from './transaction/lock.ts'
import { makeOwnFolder } from './transaction/own-folder.ts'
import { recover } from './transaction/roll-back.ts'

/** What the work of a turn comes to. */
export interface WorkResult extends Turn {
  /** `metrics.textfile` goes with the rest, and is not to be written again. */
  textfileGone?: true
}

/**
 * One run that may change the host: alone, after whatever a killed run left has been undone, and
 * with its outcome published for `status`. Throws only where it has left the host as it was. A cycle
 * that no daemon began, and so none counts, says whether the source `gave` a bundle.
 */
export async function runExclusively(
  host: Host,
  now: Date,
  work: () => Promise<WorkResult>,
  own?: { gave: boolean },
): Promise<Outcome> {
  const lock = await lockHost(host)
  if ('outcome' in lock) return lock
  using _ = lock
  const turn = await recoverThen(work, host)
  // Awaited here: the lock is let go when this function returns, and its files have fixed names.
  return await published(host, now, turn, own)
}

/** The lock, until it is disposed of; or why it can't be had. */
export async function lockHost(host: Host): Promise<Disposable | Outcome> {
  const { stateFolder } = host.layout
  try {
    await makeOwnFolder(host, stateFolder)
    return takeLock(host)
  } catch (error) {
    if (isThrown(error, 'lock-held')) {
      const { code, message } = refuseHost('busy', error.message)
      return stopped({ outcome: 'host-refused', code, message }, trustOnHost(host))
    }
    if (errorCode(error) === undefined) throw error
    const message = `${stateFolder.path} can't be written to: ${messageOf(error)}`
    return stopped({ outcome: 'host-refused', code: 'read-only', message }, trustOnHost(host))
  }
}

async function recoverThen(work: () => Promise<WorkResult>, host: Host): Promise<WorkResult> {
  try {
    await recover(host)
  } catch (rollbackCause) {
    if (!hasJournal(host)) throw rollbackCause
    const cause = new Error('an earlier run was cut off')
    const failure = describeFailure({ kind: 'rollback-failed', cause, rollbackCause })
    return { outcome: stopped(failure, trustOnHost(host)) }
  }
  return work()
}

// What has been done is done, whether or not it can be published: a full /run must not hide it.
async function published(
  host: Host,
  now: Date,
  turn: WorkResult,
  own: { gave: boolean } | undefined,
): Promise<Outcome> {
  const at = now.toISOString()
  const { outcome } = turn
  const { textfile: _, ...withoutTextfile } = host
  try {
    await publishStatus(host, at, turn, own)
    const problem = await writeTextfile(turn.textfileGone ? withoutTextfile : host)
    if (problem === undefined) return outcome
    // A textfile that can't be written is to be seen in `status` too.
    const withWarning = warned(outcome, problem)
    await publishStatus(host, at, { ...turn, outcome: withWarning })
    return withWarning
  } catch (error) {
    if (errorCode(error) === undefined) throw error
    const { path } = host.layout.statusFile
    return warned(outcome, `${path} can't be written: ${messageOf(error)}`)
  }
}
