const MAX_ETAG_BYTES = 1024

/** An `ETag` fit to be kept and sent back, else undefined: opaque, but visible ASCII and not a novel. RFC 9110 §8.8.3. */
export function readEtag(value: string | undefined): string | undefined {
  if (value === undefined || value.length > MAX_ETAG_BYTES) return undefined
  return /^[\x21-\x7e]+$/.test(value) ? value : undefined
}
