import { plainText } from '../../core/basics/plain-text.ts'
import type { Named, Question } from './question.ts'
import { type HostOutcome, isCode, parseJson, record } from './read-outcome.ts'

/** What one webhook came to. */
export type Reply<T = HostOutcome> =
  | { kind: 'outcome'; outcome: T }
  /** The host has heard, and is still at it. */
  | { kind: 'pending' }
  /** Nobody there, or nobody ready: worth another try. */
  | { kind: 'unreachable'; code: string; message: string; retryAfterMs?: number }
  /** Somebody there who will say the same again. */
  | { kind: 'rejected'; code: string; message: string }

/** Whether an answer is signed with the webhook secret, for this very request; or why it is not. */
export type Proof = 'signed' | 'missing' | 'forged' | 'stale' | 'other-id'

export interface Answer {
  status: number
  /** The header of that name. */
  retryAfter?: string | undefined
  text: string
  proof: Proof
}

/**
 * Reads what a host answered (DESIGN: 200 with an outcome, 202, 401, 413, 429, 503). That something is
 * well is believed of a signed answer only. A refusal needs none: a 401 can't be signed, and who stands
 * in between could as well let nothing through.
 */
export function readReply<T>(
  { status, retryAfter, text, proof }: Answer,
  { read, absent }: Pick<Question<T>, 'read' | 'absent'>,
): Reply<T> {
  if (status === 200 || status === 202) {
    if (proof !== 'signed') return { kind: 'rejected', ...named(UNPROVED[proof]) }
    // An empty word could be our own request, given back with its signature.
    if (status === 202 && record(parseJson(text))?.outcome === 'pending') return { kind: 'pending' }
    const outcome = status === 200 ? read(text) : undefined
    return outcome === undefined
      ? { kind: 'rejected', code: 'not-an-agent', message: 'what answers there is no host agent' }
      : { kind: 'outcome', outcome }
  }
  if (status === 429 || status >= 500) {
    const seconds = /^\d{1,4}$/.test(retryAfter ?? '') ? Number(retryAfter) : undefined
    const own = proof === 'signed' ? readRefusal(text) : undefined
    return {
      kind: 'unreachable',
      ...(own ?? { code: `http-${status}`, message: `answered ${status}` }),
      ...(seconds === undefined ? {} : { retryAfterMs: seconds * 1000 }),
    }
  }
  if (status === 404) return { kind: 'rejected', ...named(absent) }
  const known = REJECTED.get(status) ?? [`http-${status}`, `answered ${status}`]
  return { kind: 'rejected', ...named(known) }
}

const named = ([code, message]: Named) => ({ code, message })

const UNPROVED: Record<Exclude<Proof, 'signed'>, Named> = {
  missing: [
    'answer-unsigned',
    'its answer is not signed with the webhook secret: an older agent (upgrade that host), or none of yours',
  ],
  forged: [
    'answer-forged',
    'its answer is signed, and not with the webhook secret: what answers there is not this host',
  ],
  'other-id': [
    'answer-forged',
    'its answer is to another request: what answers there gives back what a host once said',
  ],
  stale: ['answer-stale', 'its answer is signed more than 5 minutes off our clock: set the clocks'],
}

const REJECTED = new Map<number, Named>([
  [
    401,
    [
      'unauthorized',
      'it refuses the signature: another secret there (webhook.secret_file), or a clock more than 5 minutes off',
    ],
  ],
])

/** Why a host can't do it now, in its own words. */
function readRefusal(text: string): { code: string; message: string } | undefined {
  const { code, message } = record(parseJson(text)) ?? {}
  return isCode(code) && typeof message === 'string'
    ? { code, message: plainText(message) }
    : undefined
}
