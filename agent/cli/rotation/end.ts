import { EXIT } from '../../core/outcome/exit-codes.ts'
import { census, type HostStanding } from '../../publisher/rotate/census.ts'
import type { End } from '../../publisher/rotate/drive.ts'
import { missing } from '../../publisher/rotate/rotation.ts'
import { hostsForPrograms } from '../operator/print-hosts.ts'
import { printJson } from '../terminal/screen.ts'

export const EXIT_OF: Record<End['kind'], number> = {
  done: EXIT.converged,
  'hosts-missing': EXIT.hostsMissing,
  'publish-failed': EXIT.operatorNeeded,
  switch: EXIT.operatorNeeded,
  prove: EXIT.operatorNeeded,
}

/** Where a run ended, for programs; `filed`: what a finished state file is called now. */
export function printEndForPrograms(end: End, filed: string | undefined): void {
  const { order, step, confirmed, leftBehind, history, old, editions } = end.rotation
  printJson({
    end: end.kind,
    order,
    step,
    keys: { old, new: editions.new.fingerprints },
    ...standingsOf(end),
    ...(end.kind === 'publish-failed' ? { message: end.message } : {}),
    ...(end.kind === 'prove' && end.why !== undefined ? { message: end.why } : {}),
    confirmed,
    leftBehind,
    history,
    ...(filed === undefined ? {} : { filed }),
  })
}

function standingsOf(end: End): { missing?: string[]; hosts?: HostStanding[] } {
  const { rotation } = end
  const phase = end.kind === 'hosts-missing' ? end.phase : 'new'
  const isAsked =
    end.kind === 'hosts-missing' || end.kind === 'done' || rotation.order === 'compromised'
  if (!isAsked) return {}
  const reports = 'reports' in end ? end.reports : []
  return {
    missing: missing(rotation, phase),
    hosts: hostsForPrograms(census(rotation, phase, reports)),
  }
}
