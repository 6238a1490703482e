/** What the fake control plane does with the next requests; also the JSON that drives it from outside. */
export type Behaviour =
  /** Holds a request with `Prefer: wait=` (RFC 7240) and the current ETag, as `bundle serve` does. */
  | { mode: 'normal' }
  /** Knows nothing of `Prefer` and answers at once. */
  | { mode: 'hasty' }
  | { mode: 'status'; status: number; headers?: Record<string, string> }
  | { mode: 'redirect'; location: string; status?: number }
  /** A sign-in page as 200, by default honestly labelled. */
  | { mode: 'html'; contentType?: string }
  | { mode: 'endless' }
  /** The bundle, one byte at a time. */
  | { mode: 'drip'; everyMs: number }
  | { mode: 'slow-headers'; afterMs: number }
  /** Closes the connection: before the head, or after so many bytes of the body. */
  | { mode: 'hang-up'; afterBytes?: number; framing?: 'length' | 'chunked' }
  /** The bundle under a Content-Length of one's choosing. */
  | { mode: 'lying-length'; length: number }
  | { mode: 'content-type'; contentType: string }
  /** The bundle for whoever shows the token, else 401. */
  | { mode: 'bearer'; token: string }
  | { mode: 'retry-after'; value: string; status?: number }
  /** The bundle, ended by closing the connection as in HTTP/1.0. */
  | { mode: 'until-close' }
  | { mode: 'encoded'; encoding: string }
  /** Bytes of one's choosing instead of HTTP. */
  | { mode: 'raw'; text: string }
  /** Takes the request and never answers. */
  | { mode: 'silent' }
