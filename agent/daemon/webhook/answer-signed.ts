import type { IncomingMessage } from 'node:http'
import { readBody } from '../../http/read-body.ts'
import type { Attempt, Verdict } from '../../http/webhook-attempt.ts'
import { MAX_BODY_BYTES } from './limits.ts'
import type { ReplayMemory } from './replay-memory.ts'
import { type Reply, refusal } from './reply.ts'

/** By which a request is believed. */
export interface SignedParts {
  verify(headers: IncomingMessage['headers'], payload: string): Promise<Verdict>
  replay: Pick<ReplayMemory, 'note'>
  /** Hears of what is ours to mend; nothing in it comes from a request. */
  onError(error: unknown): void
}

/** A path that answers only to whoever has the secret. */
export interface SignedPath {
  /** Whether a body of this `type` (Standard Webhooks 1.0.0, "Payload structure") is meant for this path. */
  takes(type: unknown): boolean
  answer(): Promise<Reply>
}

/**
 * Answers a request that is signed as a webhook is, once and to its own path; nothing but its `type` is taken
 * from the body. Every answer to a webhook that is believed is signed, so that the sender knows who speaks.
 * `undefined` where the sender is gone.
 */
export async function answerSigned(
  request: IncomingMessage,
  { takes, answer }: SignedPath,
  parts: SignedParts,
): Promise<Reply | undefined> {
  if (saysTooLarge(request)) return TOO_LARGE
  let body: Uint8Array | undefined
  try {
    // The connection is needed for the answer, however much of the body is left.
    body = await readBody(request.iterator({ destroyOnReturn: false }), MAX_BODY_BYTES)
  } catch (error) {
    if (request.destroyed) return undefined
    throw error
  }
  if (body === undefined) return TOO_LARGE
  const payload = Buffer.from(body).toString()
  const verdict = await parts.verify(request.headers, payload)
  if (verdict.kind === 'refused') return { ...UNAUTHORIZED, why: verdict.why }
  const said = readObject(payload)
  if (isAnswer(said)) return { ...UNAUTHORIZED, why: 'reflected' }
  // The path is not signed: who caught a webhook could send it where it does something else.
  if (!takes(said.type)) return { ...UNAUTHORIZED, why: 'other-path' }
  const reply = refuseAgain(verdict.attempt, parts) ?? (await answer())
  // A replay is told what everybody else is told.
  return reply.status === UNAUTHORIZED.status ? reply : { ...reply, sign: verdict.sign }
}

/** Remembers an attempt; the refusal where it came before, or can't be remembered. */
function refuseAgain(attempt: Attempt, { replay, onError }: SignedParts): Reply | undefined {
  let noted: ReturnType<ReplayMemory['note']>
  try {
    noted = replay.note(attempt)
  } catch (error) {
    onError(error)
    return UNREMEMBERED
  }
  if (noted === 'seen') return { ...UNAUTHORIZED, why: 'replayed' }
  return noted === 'full' ? TOO_MANY : undefined
}

function readObject(payload: string): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(payload)
  } catch {
    return {}
  }
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}

/**
 * Whether this is what a host answers. It is signed as a webhook is, with the same secret: sent back to
 * a host, it would be one more, and so on without end for whoever caught a single one.
 */
function isAnswer(said: Record<string, unknown>): boolean {
  return 'outcome' in said || ('code' in said && 'message' in said)
}

export function saysTooLarge({ headers }: IncomingMessage): boolean {
  return Number(headers['content-length'] ?? 0) > MAX_BODY_BYTES
}

const TOO_LARGE = refusal(413, 'too-large', `a webhook has at most ${MAX_BODY_BYTES} bytes`)

// One for all: whoever guesses learns nothing from it.
const UNAUTHORIZED = refusal(
  401,
  'unauthorized',
  'the signature is missing, wrong, too far from this host’s time, of another path, or was used before',
)

const TOO_MANY = refusal(429, 'too-many', 'too many webhooks in the last minutes', {
  'retry-after': '60',
})

const UNREMEMBERED = refusal(503, 'not-remembered', 'this host can’t write down its webhooks', {
  'retry-after': '30',
})
