import { type CaKey, type KeyRefusalCode, parseCaKey, renderCaKey } from '../keys/ca-key.ts'
import { type HeaderRefusalCode, type Headers, parseHeader } from './headers.ts'
import { MAX_BUNDLE_BYTES, MAX_KEYS, MAX_REVOKED_KEYS } from './limits.ts'
import { afterRevokedMarker } from './revoked-marker.ts'

/** A bundle whose form is right. Whether it is to be trusted is for `trust` to say. */
export interface Bundle extends Headers {
  kind: 'bundle'
  keys: [CaKey, ...CaKey[]]
  /** CAs that are dead, whoever else trusts them: the lines with the marker `@revoked`. */
  revoked: CaKey[]
  /** The SSHSIG block and what it signs: all bytes before its BEGIN line. */
  signature?: { armor: string; signed: Uint8Array }
}

export type BundleRefusalCode =
  | KeyRefusalCode
  | HeaderRefusalCode
  | 'html'
  | 'empty'
  | 'duplicate-key'
  | 'too-many-keys'
  | 'trusted-and-revoked'
  | 'control-character'
  | 'nul'
  | 'not-text'
  | 'too-large'
  | 'cut-off-signature'
  | 'text-after-signature'

/** `line` counts from 1; absent where the fault is of the whole. */
export interface BundleRefused {
  kind: 'refused'
  code: BundleRefusalCode
  message: string
  line?: number
}

const BEGIN_SIGNATURE = '-----BEGIN SSH SIGNATURE-----'
const END_SIGNATURE = '-----END SSH SIGNATURE-----'

/**
 * Parses a CA bundle: header comments, 1 to 16 keys, keys that are revoked, an optional SSHSIG block.
 * One bad line refuses the whole, since sshd ignores every line after one that it can't parse.
 */
export function parseBundle(bytes: Uint8Array): Bundle | BundleRefused {
  if (bytes.length > MAX_BUNDLE_BYTES) {
    return refuse('too-large', `${bytes.length} bytes; ${MAX_BUNDLE_BYTES} is the most`)
  }
  const text = decodeText(bytes)
  if (text === undefined) return refuse('not-text', 'the bytes are not UTF-8 text')
  const lines = text.split('\n')
  // A private key is looked for first: whatever else is wrong, this is what a person must hear.
  const secret = lines.findIndex(line => /PRIVATE KEY-----|PuTTY-User-Key-File/.test(line))
  if (secret !== -1) {
    return refuse(
      'private-key',
      'a PRIVATE key is being served; take it down, and publish the .pub half only',
      secret + 1,
    )
  }
  const nul = lines.findIndex(line => line.includes('\0'))
  if (nul !== -1) return refuse('nul', 'a NUL byte', nul + 1)
  if (/^\s*<(!doctype|html|head|body|\?xml)/i.test(text)) {
    return refuse(
      'html',
      'a web page (a sign-in page?) instead of a bundle; make the route public or give a source.token_file',
      1,
    )
  }
  return parseLines(lines, bytes)
}

/** What is written to the host: `type base64 comment` lines, LF, nothing else. */
export function renderCaKeys(keys: readonly Parameters<typeof renderCaKey>[0][]): string {
  return keys.map(key => `${renderCaKey(key)}\n`).join('')
}

function parseLines(lines: string[], bytes: Uint8Array): Bundle | BundleRefused {
  const headers: Headers = {}
  const keys: CaKey[] = []
  const revoked: CaKey[] = []
  const seen = new Map<string, { number: number; list: CaKey[] }>()
  for (const [index, raw] of lines.entries()) {
    const number = index + 1
    const line = raw.replace(/\r$/, '')
    // C0, C1 and the invisible format characters, which could make a screen show another line.
    if (/[^\P{Cc}\t]|[\p{Cf}\u2028\u2029]/u.test(line)) {
      return refuse('control-character', 'a control character', number)
    }
    if (line === BEGIN_SIGNATURE) {
      const signature = readSignature(lines, index, bytes)
      return 'kind' in signature ? signature : finish(headers, keys, revoked, signature)
    }
    if (line.trim() === '') continue
    if (line.trimStart().startsWith('#')) {
      if (seen.size > 0) continue
      const header = parseHeader(line.trim(), headers)
      if (header !== undefined) return refuse(header.code, header.message, number)
      continue
    }
    const marked = afterRevokedMarker(line)
    const parsed = parseCaKey(marked ?? line)
    if (parsed.kind === 'refused') return refuse(parsed.code, parsed.message, number)
    const [list, most, what] =
      marked === undefined
        ? [keys, MAX_KEYS, 'keys']
        : [revoked, MAX_REVOKED_KEYS, 'keys that are revoked']
    const twin = seen.get(parsed.key.base64)
    if (twin !== undefined) {
      return twin.list === list
        ? refuse('duplicate-key', `the same key as on line ${twin.number}`, number)
        : refuse(
            'trusted-and-revoked',
            `the key of line ${twin.number} is named both as trusted and as revoked; take one of the two lines away`,
            number,
          )
    }
    if (list.length === most) return refuse('too-many-keys', `more than ${most} ${what}`, number)
    seen.set(parsed.key.base64, { number, list })
    list.push(parsed.key)
  }
  return finish(headers, keys, revoked)
}

function finish(
  headers: Headers,
  keys: CaKey[],
  revoked: CaKey[],
  signature?: Bundle['signature'],
): Bundle | BundleRefused {
  const [first, ...rest] = keys
  if (first === undefined) {
    return refuse('empty', 'no key in it; an empty file would refuse every certificate')
  }
  return {
    kind: 'bundle',
    ...headers,
    keys: [first, ...rest],
    revoked,
    ...(signature === undefined ? {} : { signature }),
  }
}

function readSignature(
  lines: string[],
  begin: number,
  bytes: Uint8Array,
): { armor: string; signed: Uint8Array } | BundleRefused {
  const end = lines.findIndex((line, at) => at > begin && line.replace(/\r$/, '') === END_SIGNATURE)
  if (end === -1) {
    return refuse(
      'cut-off-signature',
      'the signature has no END line; the bundle is cut off',
      begin + 1,
    )
  }
  const after = lines.findIndex((line, at) => at > end && line.trim() !== '')
  if (after !== -1) {
    return refuse('text-after-signature', 'text after the signature is signed by nobody', after + 1)
  }
  const before = lines.slice(0, begin).reduce((sum, line) => sum + Buffer.byteLength(line) + 1, 0)
  return { armor: `${lines.slice(begin, end + 1).join('\n')}\n`, signed: bytes.subarray(0, before) }
}

// `ignoreBOM: true` keeps a byte order mark in the text, where it is refused like any invisible.
function decodeText(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return undefined
  }
}

function refuse(code: BundleRefusalCode, message: string, line?: number): BundleRefused {
  return { kind: 'refused', code, message, ...(line === undefined ? {} : { line }) }
}
