import { fingerprint } from './ca-key.ts'
import { decodePublicKey } from './public-key.ts'
import { isSecurityKeyType, readSecurityKey } from './security-key.ts'
import { firstWireString, readWireStrings, wireString } from './wire-strings.ts'

/** A key that sshd reads in a CA file; it takes kinds that no bundle may hold. */
export interface ListedKey {
  /** Its name, where a line may stand under another: `ssh-rsa` for `rsa-sha2-512`. */
  type: string
  /** The blob as OpenSSH itself would write it. */
  base64: string
  /** For people: without control and format characters. */
  comment: string
  fingerprint: string
  /** From 1. */
  line: number
}

/** A CA file as sshd reads it: from the top, to its end or to the first line that it can't take. */
export interface CaFileReading {
  /** Each once. */
  keys: ListedKey[]
  /** The line at which every sshd stops: from there on, nothing is trusted. */
  ends?: number
  /** Where it depends on the sshd whether it reads on; the keys are those before. */
  doubt?: { line: number; what: string }
}

/**
 * Reads what `TrustedUserCAKeys` names as sshd does (authfile.c, sshkey_in_file; sshkey.c,
 * sshkey_read): a line ends at a NUL, one that is no key ends the reading, an RSA key that is too
 * short does not. `knows` says of a security key's type whether this sshd has it.
 */
export function readCaFile(
  content: Buffer,
  knows: (type: string) => boolean = () => true,
): CaFileReading {
  const keys = new Map<string, ListedKey>()
  const reading = () => ({ keys: [...keys.values()] })
  // A byte a character: sshd knows no encoding.
  for (const [index, whole] of content.toString('latin1').split('\n').entries()) {
    const line = index + 1
    const text = (whole.split('\0', 1)[0] ?? '').replace(/^[ \t]+/, '')
    if (text === '' || text.startsWith('#')) continue
    const read = readLine(text, knows)
    if (read.kind === 'end') return { ...reading(), ends: line }
    if (read.kind === 'doubt') return { ...reading(), doubt: { line, what: read.what } }
    if (read.kind === 'too-short') continue
    const { type, blob, comment } = read
    const known = fingerprint(blob)
    if (keys.has(known)) continue
    const base64 = blob.toString('base64')
    keys.set(known, { type, base64, comment: commentOf(comment), fingerprint: known, line })
  }
  return reading()
}

type Line =
  | { kind: 'key'; type: string; blob: Buffer; comment: string }
  | { kind: 'too-short' }
  | { kind: 'end' }
  | { kind: 'doubt'; what: string }

const END: Line = { kind: 'end' }

// `type base64 [comment]`; white space of other kinds is none before the base64, and is skipped in it.
function readLine(text: string, knows: (type: string) => boolean): Line {
  const [, type = '', token = '', comment = ''] =
    /^([^ \t]+)[ \t]+([^ \t]+)[ \t]*(.*)$/s.exec(text) ?? []
  const base64 = token.replace(/[\r\v\f]/g, '')
  const blob = Buffer.from(base64, 'base64')
  if (blob.length === 0 || blob.toString('base64') !== base64) return END
  const inner = firstWireString(blob)?.toString('latin1')
  if (inner === undefined) return END
  const name = NAMES.get(type)
  if (name === undefined) {
    const isOther = inner === type && /^[!-~]{1,64}$/.test(type)
    return isOther ? { kind: 'doubt', what: `a key of type ${type}` } : END
  }
  const same = NAMES.get(inner) === name
  if (inner !== name && !(same && name === 'ssh-rsa')) {
    const other = same || SHORT_NAMES.has(inner.toLowerCase())
    return other ? { kind: 'doubt', what: 'a key whose type has another name within it' } : END
  }
  if (isSecurityKeyType(name) && !knows(name)) {
    return { kind: 'doubt', what: `a key of type ${name}, which CASignatureAlgorithms leaves out` }
  }
  const read = readBlob(name, blob)
  return read === undefined
    ? END
    : read === 'too-short'
      ? { kind: 'too-short' }
      : { kind: 'key', type: name, blob: read, comment }
}

/** By what may stand in a line, the name of the kind of key: sshd takes signature algorithms too. */
const NAMES: ReadonlyMap<string, string> = new Map([
  ...[
    'ssh-ed25519',
    'ecdsa-sha2-nistp256',
    'ecdsa-sha2-nistp384',
    'ecdsa-sha2-nistp521',
    'ssh-rsa',
    'sk-ssh-ed25519@openssh.com',
    'sk-ecdsa-sha2-nistp256@openssh.com',
  ].map(name => [name, name] as const),
  ['rsa-sha2-256', 'ssh-rsa'],
  ['rsa-sha2-512', 'ssh-rsa'],
  ['webauthn-sk-ecdsa-sha2-nistp256@openssh.com', 'sk-ecdsa-sha2-nistp256@openssh.com'],
])

/** What OpenSSH before 10 takes for the type within a blob, in any case (sshkey_type_from_name). */
const SHORT_NAMES = new Set(['rsa', 'dsa', 'ed25519', 'ecdsa', 'ed25519-sk', 'ecdsa-sk'])

function readBlob(name: string, blob: Buffer): Buffer | 'too-short' | undefined {
  if (name === 'ssh-rsa') return readRsa(blob)
  if (!isSecurityKeyType(name)) return decodePublicKey(blob) && blob
  const key = readSecurityKey(name, blob)
  return key === undefined || key.application.includes(0) ? undefined : blob
}

/** sshkey.h, SSH_RSA_MINIMUM_MODULUS_SIZE and SSHBUF_MAX_BIGNUM: in bits, in bytes. */
const RSA = { leastBits: 1024, mostBytes: 2048 }

// Nothing is asked of the numbers but their size, and zeros in front are taken away.
function readRsa(blob: Buffer): Buffer | 'too-short' | undefined {
  const [, e, n] = readWireStrings(blob, 3)?.map(readInteger) ?? []
  if (e === undefined || n === undefined) return undefined
  const bits = n.length === 0 ? 0 : n.length * 8 - Math.clz32(n[0] ?? 0) + 24
  if (bits < RSA.leastBits) return 'too-short'
  return Buffer.concat(['ssh-rsa', signed(e), signed(n)].map(wireString))
}

// sshbuf-getput-crypto.c, sshbuf_get_bignum2: without sign, and no longer than this.
function readInteger(bytes: Buffer): Buffer | undefined {
  if ((bytes[0] ?? 0) >= 0x80) return undefined
  const { mostBytes } = RSA
  if (bytes.length > mostBytes + 1 || (bytes.length > mostBytes && bytes[0] !== 0)) return undefined
  const first = bytes.findIndex(byte => byte !== 0)
  return first === -1 ? Buffer.alloc(0) : bytes.subarray(first)
}

const signed = (bytes: Buffer) =>
  (bytes[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.of(0), bytes]) : bytes

function commentOf(latin1: string): string {
  const text = Buffer.from(latin1, 'latin1').toString()
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ').trim()
}
