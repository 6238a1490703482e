import { optional } from '../../core/basics/when-defined.ts'
import type { Outcome, TrustedKey } from '../../core/outcome/outcome.ts'
import { isGood } from '../../core/outcome/outcome-rows.ts'
import { refused, stopped, warned } from '../../core/outcome/outcomes.ts'
import type { ProvisionReply, ProvisionRequest } from '../../core/protocol/provision-protocol.ts'
import type { Fetched } from '../../core/protocol/source.ts'
import { counted, type PollRecord } from '../../core/report/poll-record.ts'
import { type PollRecordFile, tryWrite } from './poll-record-file.ts'

/** What a cycle works with; everything that it does to the world goes through here. */
export interface CycleParts {
  fetch(etag: string | undefined): Promise<Fetched>
  ask(request: ProvisionRequest): Promise<ProvisionReply>
  /** What the host trusts by the provisioner's own report. */
  trusted(): TrustedKey[]
  pollRecord: PollRecordFile
  now(): Date
}

/** A cycle's end, with what of it is for the log. */
export interface CycleEnd {
  outcome: Outcome
  /** Whether it found anything else than the last one left. */
  quiet: boolean
  /** The source's clock less ours, in seconds. */
  clockSkewSeconds?: number
  retryAfterSeconds?: number
  /** Of what the source has now, taken by the provisioner or not. */
  etag?: string
}

/** How long an unchanged source is taken at its word; then the host is looked at whole again. */
const ETAG_LASTS_MS = 60 * 60_000

/**
 * Looks at the source once and hands what it gives to the provisioner, which decides. An unchanged
 * source wakes nobody: drift is watched by systemd, and once an hour the bundle goes the whole way.
 */
export async function runCycle(parts: CycleParts, hinted: boolean): Promise<CycleEnd> {
  const now = parts.now()
  const polls = parts.pollRecord.read()
  // Since a boot nobody has reported of this host: the bundle goes the whole way, and somebody does.
  const whole = hinted || parts.trusted().length === 0
  const fetched = await parts.fetch(whole ? undefined : freshEtag(polls, now))
  // Before the bundle is put in force, which takes its time.
  const skew = skewOf(fetched, parts.now())
  const outcome = await conclude(fetched, parts)
  // What is in force is in force, whether or not it can be noted: a full disk must not hide it.
  const unwritten = tryWrite(parts.pollRecord, noted(polls, fetched, outcome, now, skew))
  return {
    outcome: warned(outcome, unwritten),
    quiet: outcome.outcome === 'unchanged' && unwritten === undefined,
    ...(skew === undefined ? {} : { clockSkewSeconds: skew }),
    ...('retryAfterSeconds' in fetched && fetched.retryAfterSeconds !== undefined
      ? { retryAfterSeconds: fetched.retryAfterSeconds }
      : {}),
    ...('etag' in fetched && fetched.etag !== undefined ? { etag: fetched.etag } : {}),
  }
}

async function conclude(fetched: Fetched, parts: CycleParts): Promise<Outcome> {
  const host = () => ({ trusted: parts.trusted() })
  switch (fetched.kind) {
    case 'not-modified':
      return stopped({ outcome: 'unchanged', message: 'the source has nothing new' }, host())
    case 'unavailable': {
      const { code, message } = fetched
      return stopped({ outcome: 'source-unavailable', code, message }, host())
    }
    case 'refused':
      return refused(fetched, host())
    case 'bundle': {
      const reply = await parts.ask({ op: 'apply', bundle: fetched.bytes })
      if (reply.kind === 'outcome') return reply.outcome
      throw new Error(`the provisioner answered "${reply.kind}": ${reply.message}`)
    }
  }
}

function freshEtag({ etag, etagAt }: PollRecord, now: Date): string | undefined {
  const age = now.getTime() - Date.parse(etagAt ?? '')
  return age >= 0 && age < ETAG_LASTS_MS ? etag : undefined
}

// HTTP dates have no fractions: a difference within a second is none.
function skewOf(fetched: Fetched, now: Date): number | undefined {
  const date = 'date' in fetched ? fetched.date : undefined
  if (date === undefined) return undefined
  const seconds = (date.getTime() - now.getTime()) / 1000
  return Math.abs(seconds) < 1 ? 0 : Math.round(seconds)
}

function notBefore(fetched: Fetched, now: Date): string | undefined {
  const seconds = fetched.kind === 'unavailable' ? fetched.retryAfterSeconds : undefined
  return seconds === undefined ? undefined : new Date(now.getTime() + seconds * 1000).toISOString()
}

function noted(
  { etag, etagAt, nextPoll, held, ...tally }: PollRecord,
  fetched: Fetched,
  outcome: Outcome,
  now: Date,
  skew: number | undefined,
): PollRecord {
  const at = now.toISOString()
  const got = fetched.kind === 'bundle' || fetched.kind === 'not-modified'
  const known =
    fetched.kind === 'bundle'
      ? // Only what the provisioner took may be left unfetched next time.
        isGood(outcome) && fetched.etag !== undefined
        ? { etag: fetched.etag, etagAt: at }
        : {}
      : etag !== undefined && etagAt !== undefined
        ? { etag, etagAt }
        : {}
  return {
    version: 1,
    lastPoll: {
      at,
      outcome: outcome.outcome,
      ...optional('code', outcome.code),
      message: outcome.message,
    },
    // A cycle in between, for a webhook, does not put off the resident's clock.
    ...optional('nextPoll', nextPoll),
    ...optional('held', held),
    ...optional('notBefore', notBefore(fetched, now)),
    ...known,
    ...(skew === undefined ? {} : { clockSkewSeconds: skew }),
    ...counted(tally, outcome, got ? at : undefined),
  }
}
