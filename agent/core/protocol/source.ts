/** Where the bundle comes from, with every path already read: what the fetch needs and nothing else. */
export interface Source {
  /** `https:`, `file:`, or `http:` on loopback. */
  url: string
  /** Sent as `Authorization: Bearer`; RFC 6750 §2.1. */
  token?: string
  /** PEM certificates trusted beside the system's roots. */
  extraRoots?: string
  /** RFC 6901 pointer to the string that holds the bundle in a JSON reply. */
  jsonPointer?: string
}

/** Why nothing usable came from the source. The last good keys stay in force. */
export const SOURCE_FAILURE_CODES = [
  'unreachable',
  'tls',
  'timeout',
  'unauthorized',
  'not-found',
  'server-error',
  'unexpected-status',
  'unexpected-reply',
  'redirect',
  'unreadable-file',
  'bad-url',
  'json',
  'fetch-failed',
] as const

export type SourceFailureCode = (typeof SOURCE_FAILURE_CODES)[number]

/** Why what came can be no bundle, whatever the form of one. */
export const SOURCE_REFUSAL_CODES = ['html', 'too-large'] as const

/** What one look at the source gave. `message` says what happened and what to do; it never holds a secret. */
export type Fetched =
  | { kind: 'bundle'; bytes: Uint8Array; etag?: string; date?: Date }
  | { kind: 'not-modified'; etag?: string; date?: Date }
  | { kind: 'unavailable'; code: SourceFailureCode; message: string; retryAfterSeconds?: number }
  | { kind: 'refused'; code: (typeof SOURCE_REFUSAL_CODES)[number]; message: string }
