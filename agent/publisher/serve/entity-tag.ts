import { createHash } from 'node:crypto'

/** A strong entity tag: the same bytes have the same one on every server and after every restart. */
export function entityTagOf(bytes: Uint8Array): string {
  return `"${createHash('sha256').update(bytes).digest('base64url')}"`
}

/**
 * Whether an `If-None-Match` names the tag (RFC 9110 §13.1.2): a list, or `*`; compared weakly, since
 * a cache on the way may have made it `W/`.
 */
export function matchesTag(ifNoneMatch: string | undefined, tag: string): boolean {
  const named = ifNoneMatch?.match(/"[\x21\x23-\x7e]*"|\*/g) ?? []
  return named.some(each => each === tag || each === '*')
}
