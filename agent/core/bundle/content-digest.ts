import { createHash } from 'node:crypto'
import { type Bundle, type BundleRefused, parseBundle } from './bundle.ts'

/**
 * SHA-256 (hex) of what a bundle says: of the part that is signed, or of all bytes where none is. The
 * armor of a signature may be written in many ways, and none of them changes what is trusted.
 */
export function contentDigest(
  bytes: Uint8Array,
  bundle: Bundle | BundleRefused = parseBundle(bytes),
): string {
  const content = bundle.kind === 'bundle' ? (bundle.signature?.signed ?? bytes) : bytes
  return createHash('sha256').update(content).digest('hex')
}
