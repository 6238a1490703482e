/** How far a sender's clock may be from ours, in seconds; the library's own tolerance. */
export const TOLERANCE_SECONDS = 5 * 60

/** Of a digest, in characters of base64url: 132 bits. */
export const DIGEST_LENGTH = 22

/** One attempt to deliver a webhook, whose signature is right. */
export interface Attempt {
  /** Names exactly what was signed, and tells nothing of it. */
  digest: string
  /** `webhook-timestamp`: when this attempt was signed, in seconds since the epoch. */
  signedAt: number
}

export type Verdict =
  | { kind: 'genuine'; attempt: Attempt }
  /** For our own log; the sender is told nothing but that it is refused. */
  | { kind: 'refused'; why: 'missing' | 'stale' | 'forged' }
