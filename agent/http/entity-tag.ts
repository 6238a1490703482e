import { createHash } from 'node:crypto'

const MAX_ETAG_BYTES = 1024

/** An `ETag` fit to be kept and sent back, else undefined: opaque, but visible ASCII and not a novel. RFC 9110 §8.8.3. */
export function readEtag(value: string | undefined): string | undefined {
  if (value === undefined || value.length > MAX_ETAG_BYTES) return undefined
  return /^[\x21-\x7e]+$/.test(value) ? value : undefined
}

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
