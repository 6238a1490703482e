import { optional } from '../basics/when-defined.ts'
import { type Known, type LastCycle, lastCycle, standingTrouble } from './host-health.ts'
import { latestPast } from './known-times.ts'
import type { PollRecord } from './poll-record.ts'
import type { Status } from './status-record.ts'

/** What both wings have written down of a host: all that is known of it to who can't look any closer. */
export function reported(
  told: Known['status'],
  polls: PollRecord,
  rest: Pick<Known, 'found' | 'patienceMs' | 'now'>,
): Known {
  const status = typeof told === 'object' ? told : undefined
  const turn = status && turnOf(status)
  return {
    status: told,
    polls,
    trusted: status?.trusted,
    effective: status?.effective,
    last: lastCycle(turn, polls.lastPoll, rest.now),
    trouble: standingTrouble(turn, polls.lastPoll, rest.now, status?.applies?.lastSuccess),
    lastSuccess: latestPast(rest.now, polls.lastSuccess, status?.applies?.lastSuccess),
    standsDown: status?.standsDown ?? false,
    contested: status?.contested ?? false,
    ...rest,
  }
}

function turnOf({ at, outcome: { outcome, code, message } }: Status): LastCycle {
  return { at, outcome, ...optional('code', code), message }
}
