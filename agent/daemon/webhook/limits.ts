import type { Patience } from '../../http/server-options.ts'

/** What one listener bears, and how long it waits for anybody; in milliseconds. */
export interface Limits extends Patience {
  connections: number
  /** For any byte in either direction; longer than an answer takes. */
  silenceMs: number
  /** For the cycle, before it is answered that it goes on. */
  answerWithinMs: number
}

/** The largest body of a webhook in bytes; its content is signed, and then thrown away. */
export const MAX_BODY_BYTES = 16 * 1024

export const LIMITS: Limits = {
  connections: 64,
  headersMs: 5_000,
  requestMs: 10_000,
  keepAliveMs: 2_000,
  silenceMs: 20_000,
  answerWithinMs: 10_000,
}
