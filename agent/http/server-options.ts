/** How long a server waits for anybody, in milliseconds. */
export interface Patience {
  /** For the TLS handshake, and then for a request's head. */
  headersMs: number
  /** For a request with its body. */
  requestMs: number
  /** For the next request on the same connection. */
  keepAliveMs: number
}

/** The head of a request, in bytes. */
const MAX_HEADER_BYTES = 8 * 1024

/** The same for all of Node's servers; slow clients are looked for every second, not every thirty. */
export function serverOptions({ headersMs, requestMs, keepAliveMs }: Patience) {
  return {
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: headersMs,
    requestTimeout: requestMs,
    keepAliveTimeout: keepAliveMs,
    // Node grants another second after what it announces.
    keepAliveTimeoutBuffer: 0,
    connectionsCheckingInterval: Math.min(1_000, headersMs),
  }
}
