import { describeSkew } from './clock-skew.ts'
import type { Notes } from './notes.ts'
import type { Outcome } from './outcome.ts'
import type { HeldKey, Status } from './status.ts'
import { formatSpan } from './time-span.ts'

/** What is known of a host when somebody asks how it is. */
export interface Known {
  /** The provisioner's; `damaged` where there is one that can't be read. */
  status: Status | 'missing' | 'damaged'
  notes: Notes
  /** As they lie on the host, or by the last status. */
  trusted: readonly HeldKey[] | undefined
  effective: { value: boolean; at: string } | undefined
  /** The last cycle of either wing. */
  last: LastCycle | undefined
  /** What went wrong last, where nothing since has mended it. */
  trouble: LastCycle | undefined
  /** The record of what is held and was written is damaged. */
  stateDamaged?: boolean
  /** By `remove`, until `apply` or `configure`. */
  standsDown?: boolean
  /** Silence for longer than this is no good sign, in milliseconds. */
  patienceMs: number
  now: Date
}

export type LastCycle = Pick<Outcome, 'outcome' | 'code' | 'message'> & { at: string }

/** The last cycle of either wing; a poll that woke the provisioner began before that ended. */
export function lastCycle(turn: LastCycle | undefined, poll: LastCycle | undefined) {
  return poll !== undefined && (turn === undefined || poll.at > turn.at) ? poll : turn
}

/**
 * What went wrong last and still stands. A poll that finds nothing new says that the source is there,
 * and nothing of the host; a look at the host says nothing of the source, unless it is an `apply`, which
 * had a bundle at `applied` the last time.
 */
export function standingTrouble(
  turn: LastCycle | undefined,
  poll: LastCycle | undefined,
  applied?: string,
) {
  const last = lastCycle(turn, poll)
  if (last !== undefined && isTrouble(last)) return last
  const got = applied !== undefined && poll !== undefined && applied > poll.at
  if (poll !== undefined && isOfSource(poll) && !got) return poll
  const stands = turn !== undefined && isTrouble(turn) && turn.outcome !== 'source-unavailable'
  return stands ? turn : undefined
}

const isOfSource = ({ outcome }: LastCycle) =>
  outcome === 'source-unavailable' || outcome === 'refused'

const isTrouble = ({ outcome }: LastCycle) => outcome !== 'applied' && outcome !== 'unchanged'

/** How a host is, in a line, and what to do about it. */
export interface Verdict {
  code:
    | 'in-force'
    | 'unproved'
    | 'nothing-yet'
    | 'not-since-boot'
    | 'status-damaged'
    | 'state-damaged'
    | 'person-needed'
    | 'contested'
    | 'removed'
    | 'no-keys'
    | 'not-in-force'
    | 'stale'
    | 'not-followed'
    | 'expired'
    | 'clock-skew'
  level: 'good' | 'warn' | 'bad'
  headline: string
  next?: string
}

const APPLY = 'run: sudo pomerium-host-agent apply'
const PLAN = 'see why: sudo pomerium-host-agent plan'
const JOURNAL = 'see: journalctl -u pomerium-host-agent'

/** The worst thing that is so, for it is what a person must see first. */
export function judge(known: Known): Verdict {
  return unrecorded(known) ?? missing(known) ?? broken(known) ?? doubtful(known) ?? well(known)
}

function unrecorded({ stateDamaged, standsDown, trusted = [] }: Known): Verdict | undefined {
  if (stateDamaged) {
    const headline = 'the record of what this host holds is damaged; nothing is followed'
    return verdict(
      'state-damaged',
      'bad',
      headline,
      'see what to do: sudo pomerium-host-agent apply',
    )
  }
  return standsDown && trusted.length === 0
    ? verdict('removed', 'good', 'the agent stands down until apply or configure')
    : undefined
}

function missing({ status, notes, trusted = [] }: Known): Verdict | undefined {
  if (status === 'damaged') {
    return verdict('status-damaged', 'bad', 'the last report is damaged', APPLY)
  }
  if (status !== 'missing') return undefined
  return notes.lastPoll !== undefined || trusted.length > 0
    ? verdict('not-since-boot', 'warn', 'nothing has looked at this host since it booted', APPLY)
    : verdict('nothing-yet', 'bad', 'nothing has run on this host yet', APPLY)
}

function broken({ status, trusted, effective, last, trouble }: Known): Verdict | undefined {
  if (trouble?.outcome === 'rollback-failed') {
    const next = 'keep this session open, and see what `sshd -t` says'
    return verdict('person-needed', 'bad', 'undoing a change failed: a person is needed', next)
  }
  if (typeof status === 'object' && status.contested) {
    const next = 'find out who, and stop one of us'
    return verdict('contested', 'bad', 'somebody keeps changing our files', next)
  }
  if (trusted?.length === 0) {
    return last?.outcome === 'applied'
      ? verdict('removed', 'good', 'nothing of ours is on this host')
      : verdict('no-keys', 'bad', 'this host trusts no CA key', APPLY)
  }
  if (effective?.value === false) {
    return verdict('not-in-force', 'bad', 'sshd does not go by these keys', PLAN)
  }
  return undefined
}

function doubtful({ status, notes, last, trouble, patienceMs, now }: Known): Verdict | undefined {
  const silenceMs = last === undefined ? 0 : now.getTime() - Date.parse(last.at)
  if (silenceMs > patienceMs) {
    const headline = `nothing has looked at this host for ${formatSpan(silenceMs)}`
    return verdict('stale', 'warn', headline, JOURNAL)
  }
  if (trouble !== undefined) {
    const next = 'the reason is below; once it is mended, the next poll does the rest'
    return verdict('not-followed', 'warn', 'the last good keys stay in force', next)
  }
  const expires = typeof status === 'object' ? status.held?.expires : undefined
  if (expires !== undefined && Date.parse(expires) <= now.getTime()) {
    const next = 'publish a fresh one; these keys stay in force until then'
    return verdict('expired', 'warn', 'the bundle in force has expired', next)
  }
  const skew = describeSkew(notes.clockSkewSeconds ?? 0)
  return skew === undefined ? undefined : verdict('clock-skew', 'warn', ...halves(skew))
}

function well({ trusted, effective }: Known): Verdict {
  const count = trusted?.length ?? 0
  const keys = count === 1 ? '1 CA key' : `${count} CA keys`
  return effective === undefined
    ? verdict('unproved', 'warn', `${keys} written; nobody has proved that sshd uses them`, PLAN)
    : verdict('in-force', 'good', `sshd trusts ${keys}`)
}

function halves(sentence: string): [string, string] {
  const [headline = '', next = ''] = sentence.split(/; (.*)/s)
  return [headline, next]
}

function verdict(
  code: Verdict['code'],
  level: Verdict['level'],
  headline: string,
  next?: string,
): Verdict {
  return { code, level, headline, ...(next === undefined ? {} : { next }) }
}
