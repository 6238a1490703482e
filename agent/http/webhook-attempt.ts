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

/** The headers by which a text is known to be of whoever has the secret, and to belong to one id. */
export type SignatureHeaders = Readonly<
  Record<'webhook-id' | 'webhook-timestamp' | 'webhook-signature', string>
>

export type Verdict =
  | {
      kind: 'genuine'
      attempt: Attempt
      /** Signs what is answered to it, with its id and the secret that it was signed with. */
      sign(answer: string): SignatureHeaders
    }
  /** For our own log; the sender is told nothing but that it is refused. */
  | { kind: 'refused'; why: 'missing' | 'stale' | 'forged' }
