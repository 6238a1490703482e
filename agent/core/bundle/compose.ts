import { type CaKey, renderCaKey } from '../keys/ca-key.ts'
import { type Bundle, type BundleRefused, parseBundle } from './bundle.ts'
import { withRevokedMarker } from './revoked-marker.ts'

/** What an unsigned bundle says of itself, and its keys. */
export interface Draft {
  serial?: number
  issued?: Date
  expires?: Date
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
  const { serial, issued, expires, keys, revoked = [] } = draft
  const headers = [
    ...(serial === undefined ? [] : [`# serial: ${serial}`]),
    ...(issued === undefined ? [] : [`# issued: ${renderTime(issued)}`]),
    ...(expires === undefined ? [] : [`# expires: ${renderTime(expires)}`]),
  ]
  const dead = revoked.map(key => withRevokedMarker(renderCaKey(key)))
  const lines = [...headers, ...keys.map(renderCaKey), ...dead]
  const text = lines.map(line => `${line}\n`).join('')
  const bundle = parseBundle(Buffer.from(text))
  return bundle.kind === 'refused' ? bundle : { kind: 'composed', text, bundle }
}

/** RFC 3339 in UTC, to the second. */
export function renderTime(date: Date): string {
  return date.toISOString().replace(/\.\d+Z$/, 'Z')
}
