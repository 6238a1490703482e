import { type CaKey, renderCaKey } from '../keys/ca-key.ts'
import { type Bundle, type BundleRefused, parseBundle } from './bundle.ts'
import { type Headers, renderHeaders } from './headers.ts'
import { withRevokedMarker } from './revoked-marker.ts'

/** What an unsigned bundle says of itself, and its keys. */
export interface Draft extends Headers {
  keys: readonly CaKey[]
  revoked?: readonly CaKey[]
}

/** A Pomerium Direct Response route serves no more than this, in bytes. */
export const DIRECT_RESPONSE_BYTES = 4096

/**
 * The text of an unsigned bundle; what a host would refuse for its form is refused here, by the
 * same parser.
 */
export function composeBundle(
  draft: Draft,
): { kind: 'composed'; text: string; bundle: Bundle } | BundleRefused {
  const { keys, revoked = [] } = draft
  const dead = revoked.map(key => withRevokedMarker(renderCaKey(key)))
  const lines = [...renderHeaders(draft), ...keys.map(renderCaKey), ...dead]
  const text = lines.map(line => `${line}\n`).join('')
  const bundle = parseBundle(Buffer.from(text))
  return bundle.kind === 'refused' ? bundle : { kind: 'composed', text, bundle }
}
