import { createHash } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { Webhook, WebhookVerificationError } from 'standardwebhooks'
import {
  DIGEST_LENGTH,
  type SignatureHeaders,
  TOLERANCE_SECONDS,
  type Verdict,
} from './webhook-attempt.ts'

/**
 * Checks signatures as Standard Webhooks 1.0.0 has them, against every secret in turn. The library
 * compares in constant time and holds the tolerance by the process's own clock. A module to load
 * with the first webhook: most of the times this process wakes nobody sends one. The answer has the
 * same three headers, and the operator's side checks them here too.
 */
export function createVerifier(secrets: readonly string[]) {
  const webhooks = secrets.map(secret => new Webhook(secret))
  return (headers: IncomingHttpHeaders, payload: string): Verdict => {
    const id = headers['webhook-id']
    const timestamp = headers['webhook-timestamp']
    const signature = headers['webhook-signature']
    if (typeof id !== 'string' || typeof timestamp !== 'string' || typeof signature !== 'string') {
      return { kind: 'refused', why: 'missing' }
    }
    // The library reads it by parseInt: "17…x" would be the same time by another name.
    if (!/^[1-9]\d{0,11}$/.test(timestamp)) return { kind: 'refused', why: 'forged' }
    const signedAt = Number(timestamp)
    const sent = {
      'webhook-id': id,
      'webhook-timestamp': timestamp,
      'webhook-signature': signature,
    }
    const believed = webhooks.find(webhook => verifies(webhook, payload, sent))
    if (believed !== undefined) {
      const attempt = { digest: digestOf(id, timestamp, payload), signedAt }
      // By this secret alone: who knows one of two gets nothing that is signed with the other.
      return { kind: 'genuine', attempt, sign: answer => signed(believed, id, answer) }
    }
    const ageSeconds = Math.floor(Date.now() / 1000) - signedAt
    const isStale = Math.abs(ageSeconds) > TOLERANCE_SECONDS
    return { kind: 'refused', why: isStale ? 'stale' : 'forged' }
  }
}

function verifies(webhook: Webhook, payload: string, sent: Record<string, string>): boolean {
  try {
    webhook.verify(payload, sent, { jsonParse: false })
    return true
  } catch (error) {
    if (error instanceof WebhookVerificationError) return false
    throw error
  }
}

function signed(webhook: Webhook, id: string, text: string): SignatureHeaders {
  const now = new Date()
  return {
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(now.getTime() / 1000)),
    'webhook-signature': webhook.sign(id, now, text),
  }
}

// Over the signed content, not its parts: an id that holds a dot could be cut elsewhere, and the same
// signature would pass under another name. "Signature scheme" warns of it.
function digestOf(id: string, timestamp: string, payload: string): string {
  const signed = `${id}.${timestamp}.${payload}`
  return createHash('sha256').update(signed).digest('base64url').slice(0, DIGEST_LENGTH)
}
