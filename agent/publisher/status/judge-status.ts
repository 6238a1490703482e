import { formatDistance } from '../../core/basics/time-span.ts'
import { optional } from '../../core/basics/when-defined.ts'
import type { TrustedKey } from '../../core/outcome/outcome.ts'
import { isGood } from '../../core/outcome/outcome-rows.ts'
import type { LastCycle } from '../../core/report/host-health.ts'
import { stillAlive, type Wanted } from '../notify/judge.ts'
import type { Reply } from '../notify/reply.ts'
import { ownKeys } from './common-bundle.ts'
import type { ToldStatus } from './host-status.ts'

/** How a host is, by its own signed word. */
export interface HostCondition {
  host: string
  state: /** Trusts what is wanted, sshd goes by it, and nothing bad was found. */
    | 'converged'
    /** Holds an earlier publication. */
    | 'late'
    /** Trusts something else. */
    | 'differs'
    | 'not-well'
    | 'unreachable'
    /** What answers there can't be believed, or refuses. */
    | 'failed'
  code?: string
  message: string
  trusted?: TrustedKey[]
  /** Keys that are dead there, by its own word. */
  revoked?: TrustedKey[]
  serial?: number
  /** Whether sshd goes by these keys, and when the host last saw that; absent where it does not know. */
  effective?: boolean
  seen?: string
  /** All that the host finds wrong with itself, in codes. */
  findings?: string[]
  last?: LastCycle
}

type Judged = Pick<HostCondition, 'state' | 'code' | 'message'>

/** What a host's answer means, beside the bundle that it shall trust. */
export function judgeStatus(
  host: string,
  reply: Reply<ToldStatus>,
  wanted: Wanted | undefined,
  now: Date,
): HostCondition {
  switch (reply.kind) {
    case 'outcome': {
      const { trusted, revoked, serial, effective, findings, last } = reply.outcome
      return {
        ...{ host, ...judge(reply.outcome, wanted, now), findings },
        ...optional('trusted', trusted),
        ...optional('revoked', revoked),
        ...optional('serial', serial),
        ...(effective === undefined ? {} : { effective: effective.value, seen: effective.at }),
        ...optional('last', last),
      }
    }
    case 'unreachable':
      return { host, state: 'unreachable', code: reply.code, message: reply.message }
    case 'rejected':
      return { host, state: 'failed', code: reply.code, message: reply.message }
    case 'pending': {
      const message = 'what answers there is at work, and was asked for none'
      return { host, state: 'failed', code: 'not-an-agent', message }
    }
  }
}

function judge(told: ToldStatus, wanted: Wanted | undefined, now: Date): Judged {
  const { trusted = [], ok, code, message, findings, effective } = told
  // What is not known to be trusted, or known not to be, can't be late.
  if (trusted.length === 0) return { state: 'not-well', code, message }
  const lacking = wanted && judgeTrust(told, wanted, now)
  if (lacking !== undefined) return lacking
  if (!ok || effective?.value !== true) return { state: 'not-well', code, message }
  return findings.length === 0
    ? { state: 'converged', message }
    : { state: 'converged', code, message }
}

function judgeTrust(told: ToldStatus, wanted: Wanted, now: Date): Judged | undefined {
  const { serial, last } = told
  const newest = wanted.serial
  if (serial !== undefined && newest !== undefined && serial < newest) {
    const why = { ...optional('code', codeOf(last)) }
    const by = `late by ${newest - serial}: it has serial ${serial} and not ${newest}`
    return { state: 'late', ...why, message: `${by}; ${whyNot(last, now)}` }
  }
  const same = ownKeys(told).join() === wanted.fingerprints.toSorted().join()
  const alive = stillAlive(told.revoked, wanted)
  if (same && (newest === undefined || serial === newest)) {
    return alive === undefined
      ? undefined
      : {
          state: 'differs',
          code: 'not-revoked',
          message: `it does not say that ${alive} is revoked`,
        }
  }
  const has = serial === undefined ? 'a bundle without a serial' : `serial ${serial}`
  const isNewer = serial !== undefined && newest !== undefined && serial > newest
  const how = isNewer ? `newer than ${newest}` : same ? `and not ${newest}` : 'with other keys'
  return { state: 'differs', code: 'other-bundle', message: `it has ${has}, ${how}` }
}

const codeOf = (last: LastCycle | undefined) =>
  last === undefined || isGood(last) ? undefined : (last.code ?? last.outcome)

function whyNot(last: LastCycle | undefined, now: Date): string {
  if (last === undefined) return 'it has not looked since'
  // Its clock may be ahead of ours.
  const at = Math.min(Date.parse(last.at), now.getTime())
  const when = formatDistance(new Date(at), now)
  return isGood(last)
    ? `its last look, ${when}, found nothing newer`
    : `its last look, ${when}: ${last.message}`
}
