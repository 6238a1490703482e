/** How long each stage may take, in milliseconds. */
export interface Timeouts {
  /** Name, TCP, TLS, and the proxy's tunnel. */
  connect: number
  /** From the request to the last byte of the reply's head. */
  headers: number
  /** Between two pieces of the body. */
  body: number
  /** The whole fetch: a body that drips a byte a second passes every other limit. */
  total: number
}

export const TIMEOUTS: Timeouts = { connect: 10_000, headers: 10_000, body: 10_000, total: 30_000 }

/** An environment, as in `process.env`. Only `main.ts` reads the real one. */
export type Environment = Readonly<Record<string, string | undefined>>

export interface FetchOptions {
  /** The `etag` of the reply that is held, if any. */
  etag?: string
  /**
   * Have the source hold the request for so many seconds while it has nothing but `etag`: `Prefer:
   * wait=`, RFC 7240 §4.3. A source may answer at once all the same.
   */
  waitSeconds?: number
  /** Aborting rejects the fetch with the signal's reason. */
  signal?: AbortSignal
  timeouts?: Partial<Timeouts>
  /** A `file:` source that was opened by somebody who may; read from its start and left open. */
  fileDescriptor?: number
  /** Ours, for `User-Agent`. */
  version?: string
  /** Where `HTTPS_PROXY`, `NO_PROXY` and `SSL_CERT_FILE` are looked up. Empty by default. */
  environment?: Environment
}
