import type { IncomingMessage } from 'node:http'
import type { Outcome } from '../../core/outcome/outcome.ts'
import { answerSigned, type SignedParts } from './answer-signed.ts'
import { STATUS_TYPE } from './answer-status.ts'
import { type Reply, refusal } from './reply.ts'

export interface RotationParts extends SignedParts {
  hint(): Promise<Outcome>
  /** How long the answer waits for the cycle, in milliseconds. */
  answerWithinMs: number
  /** Aborted, the answer waits no longer. */
  hurry: AbortSignal
}

/**
 * A rotation is announced: the source has something new, and is asked. Any body will do that is not meant for
 * another path. Any cycle that ended answers 200 with its outcome, also one that changed nothing for the
 * better: a sender tries again on everything but 2xx ("Delivery success and failure"), and a bundle that was
 * refused is refused again. One that goes on answers 202. Where the cycle could not be run at all, 503 asks
 * for the retry. `undefined` where the sender is gone.
 */
export function answerRotation(
  request: IncomingMessage,
  parts: RotationParts,
): Promise<Reply | undefined> {
  const path = { takes: (type: unknown) => type !== STATUS_TYPE, answer: () => runCycle(parts) }
  return answerSigned(request, path, parts)
}

async function runCycle({ hint, answerWithinMs, hurry, onError }: RotationParts): Promise<Reply> {
  try {
    const outcome = await waitFor(hint(), answerWithinMs, hurry)
    return outcome === undefined ? PENDING : { status: 200, body: outcome }
  } catch (error) {
    onError(error)
    return CYCLE_FAILED
  }
}

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
