import { describeFailure, messageOf } from '../core/failures.ts'
import type { Outcome } from '../core/outcome.ts'
import { stopped } from '../core/outcomes.ts'
import { errorCode } from './file-system.ts'
import type { Host } from './host.ts'
import { keysOnHost } from './keys-on-host.ts'
import { withLock } from './lock.ts'
import { makeOwnFolder } from './own-folder.ts'
import { recover } from './roll-back.ts'
import { publishStatus } from './status-file.ts'

/**
 * One run that may change the host: alone, after whatever a killed run left has been undone, and
 * with its outcome published for `status`.
 */
export async function inTurn(
  host: Host,
  now: Date,
  work: () => Promise<Outcome>,
): Promise<Outcome> {
  try {
    await makeOwnFolder(host, host.layout.stateFolder)
  } catch (error) {
    if (!['EROFS', 'EACCES', 'ENOSPC', 'ENOENT'].includes(errorCode(error) ?? '')) throw error
    const message = `${host.layout.stateFolder.path} can't be made: ${messageOf(error)}`
    return stopped(
      { outcome: 'host-refused', code: 'read-only', message },
      { trusted: keysOnHost(host) },
    )
  }
  return withLock(host, async () => {
    const outcome = await recoverThen(work, host)
    await publishStatus(host, { at: now.toISOString(), outcome })
    return outcome
  })
}

async function recoverThen(work: () => Promise<Outcome>, host: Host): Promise<Outcome> {
  try {
    await recover(host)
  } catch (rollbackCause) {
    const cause = new Error('an earlier run was cut off')
    const failure = describeFailure({ kind: 'rollback-failed', cause, rollbackCause })
    return stopped(failure, { trusted: keysOnHost(host) })
  }
  return work()
}
