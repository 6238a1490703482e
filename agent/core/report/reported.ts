import { optional } from '../basics/when-defined.ts'
import { type Known, type LastCycle, lastCycle, standingTrouble } from './host-health.ts'
import { addTallies, NO_NOTES, type Notes } from './poll-record.ts'
import type { Status } from './status.ts'

/** What both wings have written down of a host: all that is known of it to who can't look any closer. */
export function reported(
  told: Known['status'],
  notes: Notes,
  rest: Pick<Known, 'found' | 'patienceMs' | 'now'>,
): Known {
  const status = typeof told === 'object' ? told : undefined
  const turn = status && turnOf(status)
  return {
    status: told,
    notes,
    trusted: status?.trusted,
    effective: status?.effective,
    last: lastCycle(turn, notes.lastPoll),
    trouble: standingTrouble(turn, notes.lastPoll, status?.applies?.lastSuccess),
    lastSuccess: addTallies(notes, status?.applies ?? NO_NOTES).lastSuccess,
    standsDown: status?.standsDown ?? false,
    contested: status?.contested ?? false,
    ...rest,
  }
}

function turnOf({ at, outcome: { outcome, code, message } }: Status): LastCycle {
  return { at, outcome, ...optional('code', code), message }
}
