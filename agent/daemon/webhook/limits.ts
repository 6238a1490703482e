/** What one listener bears, and how long it waits for anybody; in milliseconds. */
export interface Limits {
  connections: number
  /** For the TLS handshake, and then for a request's head. */
  headersMs: number
  /** For a request with its body. */
  requestMs: number
  /** For the next request on the same connection. */
  keepAliveMs: number
  /** For any byte in either direction; longer than an answer takes. */
  silenceMs: number
  /** For the cycle, before it is answered that it goes on. */
  answerWithinMs: number
}

export const LIMITS: Limits = {
  connections: 64,
  headersMs: 5_000,
  requestMs: 10_000,
  keepAliveMs: 2_000,
  silenceMs: 20_000,
  answerWithinMs: 10_000,
}

/** The head of a request, in bytes. */
const MAX_HEADER_BYTES = 8 * 1024

/** The same for Node's servers; slow clients are looked for every second, not every thirty. */
export function serverOptions(limits: Limits) {
  return {
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: limits.headersMs,
    requestTimeout: limits.requestMs,
    keepAliveTimeout: limits.keepAliveMs,
    // Node grants another second after what it announces.
    keepAliveTimeoutBuffer: 0,
    connectionsCheckingInterval: Math.min(1_000, limits.headersMs),
  }
}
