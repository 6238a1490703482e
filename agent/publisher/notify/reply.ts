import type { Outcome } from '../../core/outcome.ts'
import { OUTCOMES } from '../../core/outcome-names.ts'

/** What one webhook came to. */
export type Reply =
  | { kind: 'outcome'; outcome: Outcome }
  /** The host has heard, and is still at it. */
  | { kind: 'pending' }
  /** Nobody there, or nobody ready: worth another try. */
  | { kind: 'unreachable'; code: string; message: string; retryAfterMs?: number }
  /** Somebody there who will say the same again. */
  | { kind: 'rejected'; code: string; message: string }

/** Reads what a host answered (DESIGN: 200 with an outcome, 202, 401, 413, 429, 503). */
export function readReply(status: number, retryAfter: string | undefined, body: string): Reply {
  if (status === 202) return { kind: 'pending' }
  if (status === 200) {
    const outcome = readOutcome(body)
    return outcome === undefined
      ? { kind: 'rejected', code: 'not-an-agent', message: 'what answers there is no host agent' }
      : { kind: 'outcome', outcome }
  }
  if (status === 429 || status >= 500) {
    const seconds = /^\d{1,4}$/.test(retryAfter ?? '') ? Number(retryAfter) : undefined
    return {
      kind: 'unreachable',
      code: `http-${status}`,
      message: status === 429 ? 'too many webhooks in the last minutes' : `answered ${status}`,
      ...(seconds === undefined ? {} : { retryAfterMs: seconds * 1000 }),
    }
  }
  const [code, message] = REJECTED[status] ?? [`http-${status}`, `answered ${status}`]
  return { kind: 'rejected', code, message }
}

const REJECTED: Record<number, [code: string, message: string]> = {
  401: [
    'unauthorized',
    'it refuses the signature: another secret there (webhook.secret_file), or a clock more than 5 minutes off',
  ],
  404: ['no-webhook', 'it has no rotation webhook: webhook.secret_file is not set there'],
}

// Whoever answers may be anybody: only what has the form of an outcome is taken for one.
function readOutcome(body: string): Outcome | undefined {
  let value: unknown
  try {
    value = JSON.parse(body)
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null) return undefined
  const { outcome, message, trusted, code, serial } = value as Record<string, unknown>
  const isOutcome =
    OUTCOMES.some(each => each === outcome) &&
    typeof message === 'string' &&
    (code === undefined || typeof code === 'string') &&
    (serial === undefined || typeof serial === 'number') &&
    Array.isArray(trusted) &&
    trusted.every(isTrustedKey)
  return isOutcome ? (value as Outcome) : undefined
}

function isTrustedKey(key: unknown): boolean {
  if (typeof key !== 'object' || key === null) return false
  const { type, fingerprint, comment, adopted = '' } = key as Record<string, unknown>
  return [type, fingerprint, comment, adopted].every(each => typeof each === 'string')
}
