import type { Outcome, TrustedKey } from '../../core/outcome.ts'
import { OUTCOMES } from '../../core/outcome-names.ts'
import { plainText } from '../../core/plain-text.ts'

/** What is read of a host's outcome; nothing else of it is gone by. */
export interface HostOutcome
  extends Pick<Outcome, 'outcome' | 'code' | 'message' | 'revoked' | 'serial' | 'service'> {
  trusted: TrustedKey[]
}

/** What one webhook came to. */
export type Reply =
  | { kind: 'outcome'; outcome: HostOutcome }
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
export function readReply({ status, retryAfter, text, proof }: Answer): Reply {
  if (status === 200 || status === 202) {
    if (proof !== 'signed') return { kind: 'rejected', ...named(UNPROVED[proof]) }
    // An empty word could be our own request, given back with its signature.
    if (status === 202 && record(parseJson(text))?.outcome === 'pending') return { kind: 'pending' }
    const outcome = status === 200 ? readOutcome(text) : undefined
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
  const known = REJECTED.get(status) ?? [`http-${status}`, `answered ${status}`]
  return { kind: 'rejected', ...named(known) }
}

type Named = readonly [code: string, message: string]

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
  [404, ['no-webhook', 'it has no rotation webhook: webhook.secret_file is not set there']],
])

/** More than a bundle and an adopted file of 64 KiB can hold. */
const MOST_KEYS = 1024

// Even of the host's own word only what has the form of an outcome is taken, and rebuilt.
function readOutcome(text: string): HostOutcome | undefined {
  const read = record(parseJson(text))
  if (read === undefined) return undefined
  const { message, trusted, revoked, code, serial, service } = read
  const outcome = OUTCOMES.find(each => each === read.outcome)
  if (outcome === undefined || typeof message !== 'string') return undefined
  const keys = readKeys(trusted)
  const dead = revoked === undefined ? undefined : readKeys(revoked)
  if (keys === undefined || (revoked !== undefined && dead === undefined)) return undefined
  if (code !== undefined && !isCode(code)) return undefined
  if (serial !== undefined && !isSerial(serial)) return undefined
  const restart = service === undefined ? undefined : readService(service)
  if (service !== undefined && restart === undefined) return undefined
  return {
    outcome,
    ...(code === undefined ? {} : { code }),
    message: plainText(message),
    trusted: keys,
    ...(dead === undefined ? {} : { revoked: dead }),
    ...(serial === undefined ? {} : { serial }),
    ...(restart === undefined ? {} : { service: restart }),
  }
}

function readKeys(value: unknown): TrustedKey[] | undefined {
  if (!Array.isArray(value) || value.length > MOST_KEYS) return undefined
  const keys = value.map(readKey)
  const whole = keys.filter(key => key !== undefined)
  return whole.length < keys.length ? undefined : whole
}

/** A key as a host names it; `undefined` where it is none. */
export function readKey(value: unknown): TrustedKey | undefined {
  const { type, fingerprint, comment, adopted } = record(value) ?? {}
  const isKey =
    typeof type === 'string' &&
    /^[a-z][\w.@-]{1,63}$/.test(type) &&
    typeof fingerprint === 'string' &&
    /^SHA256:[A-Za-z0-9+/]{1,43}$/.test(fingerprint) &&
    typeof comment === 'string' &&
    (adopted === undefined || typeof adopted === 'string')
  if (!isKey) return undefined
  const key = { type, fingerprint, comment: plainText(comment) }
  return adopted === undefined ? key : { ...key, adopted: plainText(adopted) }
}

function readService(value: unknown): Outcome['service'] {
  const { unit, action } = record(value) ?? {}
  const isAction = action === 'restarted' || action === 'deferred' || action === 'none'
  return typeof unit === 'string' && isAction ? { unit: plainText(unit), action } : undefined
}

/** Why a host can't do it now, in its own words. */
function readRefusal(text: string): { code: string; message: string } | undefined {
  const { code, message } = record(parseJson(text)) ?? {}
  return isCode(code) && typeof message === 'string'
    ? { code, message: plainText(message) }
    : undefined
}

const isCode = (value: unknown): value is string =>
  typeof value === 'string' && /^[\w-]{1,64}$/.test(value)

const isSerial = (value: unknown): value is number =>
  Number.isSafeInteger(value) && Number(value) >= 0

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function record(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null
    ? (value as Record<string, unknown>)
    : undefined
}
