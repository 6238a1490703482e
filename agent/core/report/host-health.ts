import { formatSpan } from '../basics/time-span.ts'
import {
  APPLY,
  bad,
  type Finding,
  type FindingCode,
  isOfSshd,
  ranked,
  warn,
} from '../outcome/finding.ts'
import type { Outcome } from '../outcome/outcome.ts'
import { failureOf, isGood } from '../outcome/outcome-rows.ts'
import { describeSkew } from './clock-skew.ts'
import { wasLater } from './known-times.ts'
import type { PollRecord } from './poll-record.ts'
import type { HeldKey, Status } from './status-record.ts'

/** What is known of a host when somebody asks how it is. */
export interface Known {
  /** The provisioner's; `damaged` where there is one that can't be read. */
  status: Status | 'missing' | 'damaged'
  polls: PollRecord
  /** As they lie on the host, or by the last status. */
  trusted: readonly HeldKey[] | undefined
  effective: { value: boolean; at: string } | undefined
  /** The last cycle of either wing. */
  last: LastCycle | undefined
  /** What went wrong last, where nothing since has mended it. */
  trouble: LastCycle | undefined
  /** By `remove`, until `apply` or `configure`. */
  standsDown: boolean
  /** When the source last gave a bundle, new or known. */
  lastSuccess: string | undefined
  /** Whether somebody keeps changing a file of ours. */
  contested: boolean
  /** What was found by looking: at sshd, at our services, at our files. */
  found: readonly Finding[]
  /** Silence for longer than this is no good sign, in milliseconds. */
  patienceMs: number
  now: Date
}

export type LastCycle = Pick<Outcome, 'outcome' | 'code' | 'message'> & { at: string }

/** The last cycle of either wing; a poll that woke the provisioner began before that ended. */
export function lastCycle(turn: LastCycle | undefined, poll: LastCycle | undefined, now: Date) {
  return turn === undefined || wasLater(now, poll?.at, turn.at) ? poll : turn
}

/**
 * What went wrong last and still stands. A poll that finds nothing new says that the source is there,
 * and nothing of the host; a look at the host says nothing of the source, unless it is an `apply`, which
 * had a bundle at `applied` the last time.
 */
export function standingTrouble(
  turn: LastCycle | undefined,
  poll: LastCycle | undefined,
  now: Date,
  applied?: string,
) {
  const last = lastCycle(turn, poll, now)
  if (last !== undefined && !isGood(last)) return last
  if (poll !== undefined && isOfSource(poll) && !wasLater(now, applied, poll.at)) return poll
  const stands = turn !== undefined && !isGood(turn) && turn.outcome !== 'source-unavailable'
  return stands ? turn : undefined
}

const isOfSource = (end: LastCycle) => failureOf(end) === 'source'

/** How a host is, in a line, and what to do about it: the worst of what was found. */
export interface Verdict {
  code: FindingCode | (typeof WELL)[number]
  level: 'good' | Finding['level']
  headline: string
  next?: string
  write?: Finding['write']
}

/** What a host is called on which nothing was found. */
export const WELL = ['in-force', 'removed'] as const

const PLAN = 'see why: sudo pomerium-host-agent plan'
const JOURNAL = 'see: journalctl -u pomerium-host-agent'

/** All that is not well, the worst first, for it is what a person must see first. */
export function findingsOf(known: Known): Finding[] {
  // What no longer runs on purpose is not missed; logins by other means are.
  if (isRemoved(known)) return ranked(known.found.filter(isOfSshd))
  return ranked([...known.found, ...missing(known), ...broken(known), ...doubtful(known)])
}

/** The worst of the findings, or that there are none. */
export function judge(known: Known, [worst] = findingsOf(known)): Verdict {
  if (worst !== undefined) return worst
  if (isRemoved(known)) {
    return {
      code: 'removed',
      level: 'good',
      headline: 'nothing of ours is on this host, until apply or configure',
    }
  }
  const count = known.trusted?.length ?? 0
  const keys = count === 1 ? '1 CA key' : `${count} CA keys`
  return { code: 'in-force', level: 'good', headline: `sshd trusts ${keys}` }
}

// Taken away on purpose, by what was done last.
function isRemoved({ trusted, standsDown, trouble }: Known): boolean {
  const isPartly = ['not-given-back', 'state-damaged'].includes(trouble?.code ?? '')
  return standsDown && trusted?.length === 0 && !isPartly
}

function missing({ status, polls, trusted = [] }: Known): Finding[] {
  if (status === 'damaged') return [bad('status-damaged', 'the last report is damaged', APPLY)]
  if (status !== 'missing') return []
  return polls.lastPoll !== undefined || trusted.length > 0
    ? [warn('not-since-boot', 'nothing has looked at this host since it booted', APPLY)]
    : [bad('nothing-yet', 'nothing has run on this host yet', APPLY)]
}

function broken({ status, trusted, effective, trouble, contested }: Known): Finding[] {
  const findings: Finding[] = []
  if (trouble?.outcome === 'rollback-failed') {
    const next = 'keep this session open, and see what `sshd -t` says'
    findings.push(bad('person-needed', 'undoing a change failed: a person is needed', next))
  }
  if (trouble?.code === 'state-damaged') {
    const headline = 'the record of what this host holds is damaged; nothing is followed'
    findings.push(bad('state-damaged', headline, 'see what to do: sudo pomerium-host-agent apply'))
  }
  if (trouble?.code === 'sshd-config-broken') {
    const headline = 'sshd refuses its own configuration, and would not start again'
    findings.push(bad('sshd-config-broken', headline, 'see: sudo sshd -t'))
  }
  if (contested) {
    const next = 'find out who, and stop one of us'
    findings.push(bad('contested', 'somebody keeps changing our files', next))
  }
  if (trusted?.length === 0 && status !== 'missing') {
    findings.push(bad('no-keys', 'this host trusts no CA key', APPLY))
  } else if (effective?.value === false && trusted?.length !== 0) {
    findings.push(bad('not-in-force', 'sshd does not go by these keys', PLAN))
  }
  return findings
}

/** What of the trouble is not told by another finding. */
const isElsewhere = ({ outcome, code }: LastCycle) =>
  outcome === 'rollback-failed' ||
  ['contested', 'sshd-config-broken', 'state-damaged'].includes(code ?? '')

function doubtful(known: Known): Finding[] {
  const { status, polls, trusted, effective, trouble, now } = known
  const findings = silence(known)
  const inForce = trusted?.length !== 0 && effective?.value !== false
  if (trouble !== undefined && inForce && !isElsewhere(trouble)) {
    const next = 'the reason is below; once it is mended, the next poll does the rest'
    findings.push(warn('not-followed', 'the last good keys stay in force', next))
  }
  const expires = typeof status === 'object' ? status.held?.expires : undefined
  if (expires !== undefined && Date.parse(expires) <= now.getTime()) {
    const next = 'publish a fresh one; these keys stay in force until then'
    findings.push(warn('expired', 'the bundle in force has expired', next))
  }
  const skew = describeSkew(polls.clockSkewSeconds ?? 0)
  if (skew !== undefined) findings.push(warn('clock-skew', ...halves(skew)))
  if (typeof status === 'object' && inForce && effective === undefined) {
    const headline = 'the keys are written; nobody has proved that sshd uses them'
    findings.push(warn('unproved', headline, PLAN))
  }
  return findings
}

// A host that nobody looks at, or one whose source has given nothing, is not followed any more.
function silence({ last, lastSuccess, patienceMs, now }: Known): Finding[] {
  const since = (at: string | undefined) => (at === undefined ? 0 : now.getTime() - Date.parse(at))
  const silentMs = since(last?.at)
  if (silentMs > patienceMs) {
    const headline = `nothing has looked at this host for ${formatSpan(silentMs)}`
    return [bad('stale', headline, JOURNAL)]
  }
  const awayMs = since(lastSuccess)
  if (awayMs <= patienceMs) return []
  return [bad('source-away', `the source has given nothing for ${formatSpan(awayMs)}`, JOURNAL)]
}

function halves(sentence: string): [string, string] {
  const [headline = '', next = ''] = sentence.split(/; (.*)/s)
  return [headline, next]
}
