import type { IncomingMessage } from 'node:http'
import type { Outcome } from '../../core/outcome.ts'
import { readBody } from '../source/read-body.ts'
import type { Attempt, Verdict } from './attempt.ts'
import type { ReplayMemory } from './replay-memory.ts'
import { type Reply, refusal } from './reply.ts'

/** The largest body in bytes; its content is signed, and then thrown away. */
const MAX_BODY_BYTES = 16 * 1024

export interface RotationParts {
  verify(headers: IncomingMessage['headers'], payload: string): Promise<Verdict>
  replay: Pick<ReplayMemory, 'note'>
  hint(): Promise<Outcome>
  /** Hears of what is ours to mend; nothing in it comes from a request. */
  onError(error: unknown): void
  /** How long the answer waits for the cycle, in milliseconds. */
  answerWithinMs: number
  /** Aborted, the answer waits no longer. */
  hurry: AbortSignal
}

/**
 * A rotation is announced. Nothing is taken from the body: it says that the source has something new,
 * and the source is asked. Any cycle that ended answers 200 with its outcome, also one that changed
 * nothing for the better: a sender tries again on everything but 2xx ("Delivery success and
 * failure"), and a bundle that was refused is refused again. One that goes on answers 202. Where the
 * cycle could not be run at all, 503 asks for the retry. Every answer to a webhook that is believed is
 * signed, so that the sender knows who speaks. `undefined` where the sender is gone.
 */
export async function answerRotation(
  request: IncomingMessage,
  parts: RotationParts,
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
  if (isAnswer(payload)) return { ...UNAUTHORIZED, why: 'reflected' }
  const reply = await act(verdict.attempt, parts)
  // A replay is told what everybody else is told.
  return reply.status === UNAUTHORIZED.status ? reply : { ...reply, sign: verdict.sign }
}

/** Does what a believed webhook asks for. */
async function act(attempt: Attempt, parts: RotationParts): Promise<Reply> {
  let noted: ReturnType<ReplayMemory['note']>
  try {
    noted = parts.replay.note(attempt)
  } catch (error) {
    parts.onError(error)
    return UNREMEMBERED
  }
  if (noted === 'seen') return { ...UNAUTHORIZED, why: 'replayed' }
  if (noted === 'full') return TOO_MANY
  try {
    const outcome = await waitFor(parts.hint(), parts.answerWithinMs, parts.hurry)
    return outcome === undefined ? PENDING : { status: 200, body: outcome }
  } catch (error) {
    parts.onError(error)
    return CYCLE_FAILED
  }
}

/**
 * Whether this is what a host answers. It is signed as a webhook is, with the same secret: sent back to
 * a host, it would be one more, and so on without end for whoever caught a single one.
 */
function isAnswer(payload: string): boolean {
  let value: unknown
  try {
    value = JSON.parse(payload)
  } catch {
    return false
  }
  if (typeof value !== 'object' || value === null) return false
  return 'outcome' in value || ('code' in value && 'message' in value)
}

export function saysTooLarge({ headers }: IncomingMessage): boolean {
  return Number(headers['content-length'] ?? 0) > MAX_BODY_BYTES
}

const TOO_LARGE = refusal(413, 'too-large', `a webhook has at most ${MAX_BODY_BYTES} bytes`)

// One for all: whoever guesses learns nothing from it.
const UNAUTHORIZED = refusal(
  401,
  'unauthorized',
  'the signature is missing, wrong, too far from this host’s time, or was used before',
)

const TOO_MANY = refusal(429, 'too-many', 'too many webhooks in the last minutes', {
  'retry-after': '60',
})

const UNREMEMBERED = refusal(503, 'not-remembered', 'this host can’t write down its webhooks', {
  'retry-after': '30',
})

const CYCLE_FAILED = refusal(
  503,
  'cycle-failed',
  'the cycle could not be run; see the host’s log',
  {
    'retry-after': '30',
  },
)

const PENDING: Reply = {
  status: 202,
  body: { outcome: 'pending', message: 'the host has heard, and is still at it' },
}

/** What `work` gives, or undefined where it takes longer; it goes on then. */
async function waitFor<T>(
  work: Promise<T>,
  milliseconds: number,
  hurry: AbortSignal,
): Promise<T | undefined> {
  const enough = Promise.withResolvers<undefined>()
  const stop = () => enough.resolve(undefined)
  const timer = setTimeout(stop, milliseconds)
  hurry.addEventListener('abort', stop, { once: true })
  if (hurry.aborted) stop()
  try {
    return await Promise.race([work, enough.promise])
  } finally {
    clearTimeout(timer)
    hurry.removeEventListener('abort', stop)
  }
}
