import { createHash, timingSafeEqual } from 'node:crypto'

/**
 * Whether an `Authorization` header holds the token (RFC 6750 §2.1). Digests are compared, in constant
 * time, so that an answer's delay tells neither the token nor its length.
 */
export function holdsToken(authorization: string | undefined, token: string): boolean {
  const [, given = ''] = /^bearer +(\S+)$/i.exec(authorization ?? '') ?? []
  return timingSafeEqual(digest(given), digest(token))
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

/** What a token file must hold; `undefined` where it would be a broken header or an empty password. */
export function parseToken(text: string): string | undefined {
  const token = text.trim()
  return /^[\x21-\x7e]{16,}$/.test(token) ? token : undefined
}
