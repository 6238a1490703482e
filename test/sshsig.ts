// Signs as `ssh-keygen -Y sign` does, or in any other way: each part of the signature can be wrong.

import { createHash, type KeyObject, sign } from 'node:crypto'
import { wireString } from '../agent/core/keys/wire-strings.ts'
import {
  type KeyKind,
  newKeyPair,
  publicLine,
  type TokenKind,
  tokenLine,
  wireInteger,
} from './ssh-keys.ts'

/** What stands in a signature, where it is not what belongs there. */
export interface SignatureParts {
  magic?: string
  version?: number
  keyBlob?: Buffer
  namespace?: string
  /** As it is signed, where it is not what stands there. */
  signedNamespace?: string
  reserved?: string
  hash?: string
  algorithm?: string
  /** Changes the innermost signature. */
  twist?: (signature: Buffer) => Buffer
  /** Behind the last part. */
  tail?: Buffer
  /** What a token says of how it came to sign: 1 where it was touched. */
  flags?: number
  /** What stands there of flags and counter, where it is not what was signed. */
  token?: Buffer
}

export interface TestSigner {
  /** `type base64`. */
  line: string
  blob: Buffer
  /** The bundle with its signature. */
  sign(text: string, parts?: SignatureParts): string
}

const PLAIN: Partial<Record<KeyKind | TokenKind, KeyKind>> = {
  'sk-ed25519': 'ed25519',
  'sk-p256': 'p256',
}
const DIGEST = { p256: 'sha256', p384: 'sha384', p521: 'sha512' } as const

const APPLICATION = 'ssh:'

export function newSigner(what: KeyKind | TokenKind, bits?: number): TestSigner {
  const kind = PLAIN[what] ?? (what as KeyKind)
  const isToken = kind !== what
  const { publicKey, privateKey } = newKeyPair(kind, bits)
  const line = isToken
    ? tokenLine(what as TokenKind, publicKey, APPLICATION)
    : publicLine(kind, publicKey)
  const [type = '', base64 = ''] = line.split(' ')
  const blob = Buffer.from(base64, 'base64')
  return {
    line,
    blob,
    sign(text, parts = {}) {
      const { namespace = 'pomerium-user-ca', reserved = '', hash = 'sha512' } = parts
      const { signedNamespace = namespace, twist = whole => whole, tail = Buffer.alloc(0) } = parts
      const algorithm = parts.algorithm ?? (kind === 'rsa' ? 'rsa-sha2-512' : type)
      const digest = createHash(hash).update(text).digest()
      const magic = Buffer.from(parts.magic ?? 'SSHSIG')
      const version = Buffer.alloc(4)
      version.writeUInt32BE(parts.version ?? 1)
      const strings = [signedNamespace, '', hash, digest].map(wireString)
      const signed = Buffer.concat([Buffer.from('SSHSIG'), ...strings])
      const token = Buffer.of(parts.flags ?? 1, 0, 0, 0, 7)
      const sha256 = (bytes: Buffer | string) => createHash('sha256').update(bytes).digest()
      const bytes = isToken ? Buffer.concat([sha256(APPLICATION), token, sha256(signed)]) : signed
      const signature = twist(signRaw(kind, privateKey, bytes, algorithm))
      const behind = isToken ? (parts.token ?? token) : Buffer.alloc(0)
      const inner = Buffer.concat([wireString(algorithm), wireString(signature), behind])
      const fields = [parts.keyBlob ?? blob, namespace, reserved, hash, inner].map(wireString)
      return `${text}${armor(Buffer.concat([magic, version, ...fields, tail]))}`
    },
  }
}

export function armor(blob: Buffer): string {
  const lines = blob.toString('base64').match(/.{1,70}/g) ?? []
  return `-----BEGIN SSH SIGNATURE-----\n${lines.join('\n')}\n-----END SSH SIGNATURE-----\n`
}

function signRaw(kind: KeyKind, key: KeyObject, bytes: Buffer, algorithm: string): Buffer {
  if (kind === 'ed25519') return sign(null, bytes, key)
  if (kind === 'rsa') return sign(RSA_DIGEST.get(algorithm) ?? 'sha512', bytes, key)
  const both = sign(DIGEST[kind], bytes, { key, dsaEncoding: 'ieee-p1363' })
  const half = both.length / 2
  return Buffer.concat([trimmed(both.subarray(0, half)), trimmed(both.subarray(half))])
}

const RSA_DIGEST = new Map([
  ['ssh-rsa', 'sha1'],
  ['rsa-sha2-256', 'sha256'],
])

function trimmed(bytes: Buffer): Buffer {
  const first = bytes.findIndex(byte => byte !== 0)
  return wireInteger(bytes.subarray(first === -1 ? bytes.length : first))
}
