import { createHash, type KeyObject, verify } from 'node:crypto'
import { fingerprint } from '../keys/ca-key.ts'
import { decodePublicKey } from '../keys/public-key.ts'
import {
  isSecurityKeyType,
  readSecurityKey,
  signedByToken,
  TOKEN_TAIL,
  wasTouched,
} from '../keys/security-key.ts'
import { readWireStrings, wireString } from '../keys/wire-strings.ts'

/** What bundles are signed for; a signature made for anything else is none (PROTOCOL.sshsig §2). */
export const NAMESPACE = 'pomerium-user-ca'

export type SignatureRefusalCode =
  | 'malformed-signature'
  | 'unsupported-signature'
  | 'wrong-namespace'
  | 'bad-signature'
  | 'untouched-key'

/** A signature that is right for these bytes, by the key inside it; whose key that is, is open yet. */
export type SignatureVerdict =
  | { kind: 'signed'; fingerprint: string; base64: string }
  | { kind: 'refused'; code: SignatureRefusalCode; message: string }

const MAGIC = Buffer.from('SSHSIG')
const VERSION = 1
const BEGIN = '-----BEGIN SSH SIGNATURE-----\n'
const END = '\n-----END SSH SIGNATURE-----'

interface Parsed {
  key: Buffer
  namespace: string
  hash: string
  signature: Buffer
}

/**
 * Verifies an SSHSIG (OpenSSH's PROTOCOL.sshsig) over `message`. Whatever ssh-keygen refuses is
 * refused; what the protocol tells verifiers to let pass (an older version, a reserved field that is
 * not empty) is let pass.
 */
export function verifySshsig(armor: string, message: Uint8Array): SignatureVerdict {
  const blob = dearmor(armor)
  const parsed = blob && parse(blob)
  if (parsed === undefined) {
    return refuse('malformed-signature', 'the signature is damaged; sign the bundle again')
  }
  if (parsed.namespace !== NAMESPACE) {
    return refuse(
      'wrong-namespace',
      `the signature is not for the namespace ${NAMESPACE}; sign with -n ${NAMESPACE}`,
    )
  }
  const keyType = parsed.key.toString('latin1', 4, 4 + parsed.key.readUInt32BE(0))
  const end = parsed.signature.length - (isSecurityKeyType(keyType) ? TOKEN_TAIL : 0)
  const [type, inner] = readWireStrings(parsed.signature.subarray(0, Math.max(0, end)), 2) ?? []
  const check = CHECKS.get(keyType)?.get(type?.toString('latin1') ?? '')
  if (!HASHES.includes(parsed.hash) || check === undefined) {
    return refuse(
      'unsupported-signature',
      'signed by a key type, algorithm or hash that is not taken; sign with ed25519, ecdsa or RSA (rsa-sha2-512)',
    )
  }
  const token = readSecurityKey(keyType, parsed.key)
  const key = decodePublicKey(token?.plain ?? parsed.key)?.key
  if (key === undefined || inner === undefined) {
    return refuse('malformed-signature', 'the key in the signature is damaged; sign again')
  }
  const digest = createHash(parsed.hash).update(message).digest()
  const plain = signedBytes(parsed.hash, digest)
  const tail = parsed.signature.subarray(end)
  if (check(token ? signedByToken(token, tail, plain) : plain, key, inner) !== true) {
    return refuse('bad-signature', 'the signature is not of these bytes; something changed them')
  }
  if (token && !wasTouched(tail)) {
    return refuse(
      'untouched-key',
      'nobody touched the security key; sign with one that asks for it',
    )
  }
  return {
    kind: 'signed',
    fingerprint: fingerprint(parsed.key),
    base64: parsed.key.toString('base64'),
  }
}

// As ssh-keygen reads it: white space anywhere, but padding and spare bits exactly right.
function dearmor(armor: string): Buffer | undefined {
  if (!armor.startsWith(BEGIN)) return undefined
  // The last one: behind an earlier one ssh-keygen reads no more, and what stood there nobody signed.
  const end = armor.lastIndexOf(END)
  if (end === -1) return undefined
  const base64 = armor.slice(BEGIN.length, end).replace(/[ \t\n\v\f\r]/g, '')
  const blob = Buffer.from(base64, 'base64')
  return blob.toString('base64') === base64 ? blob : undefined
}

/** The blob of PROTOCOL.sshsig §3. */
function parse(blob: Buffer): Parsed | undefined {
  const head = MAGIC.length + 4
  if (blob.length < head || !blob.subarray(0, MAGIC.length).equals(MAGIC)) return undefined
  if (blob.readUInt32BE(MAGIC.length) > VERSION) return undefined
  const fields = readWireStrings(blob.subarray(head), 5)
  if (fields === undefined) return undefined
  const [key, namespace, , hash, signature] = fields as [Buffer, Buffer, Buffer, Buffer, Buffer]
  if (key.length < 4) return undefined
  return { key, namespace: namespace.toString(), hash: hash.toString(), signature }
}

/** What the key has signed: not the message but this (PROTOCOL.sshsig §3), always with our namespace. */
function signedBytes(hash: string, digest: Buffer): Buffer {
  return Buffer.concat([MAGIC, ...[NAMESPACE, '', hash, digest].map(wireString)])
}

const HASHES = ['sha256', 'sha512']

type Check = (bytes: Buffer, key: KeyObject, signature: Buffer) => boolean

// RFC 8332: SHA-2 only, never `ssh-rsa`. A signature shorter than the modulus has lost its zeros.
const rsa =
  (hash: string): Check =>
  (bytes, key, signature) => {
    const length = Math.ceil((key.asymmetricKeyDetails?.modulusLength ?? 0) / 8)
    if (signature.length > length) return false
    const whole = Buffer.concat([Buffer.alloc(length - signature.length), signature])
    return verify(hash, bytes, key, whole)
  }

// RFC 5656 §3.1.2: r and s as two integers.
const ecdsa =
  (hash: string, size: number): Check =>
  (bytes, key, signature) => {
    const numbers = readWireStrings(signature, 2)?.map(number => unsigned(number, size)) ?? []
    const [r, s] = numbers
    if (r === undefined || s === undefined) return false
    const whole = Buffer.concat([r, s])
    return verify(hash, bytes, { key, dsaEncoding: 'ieee-p1363' }, whole)
  }

// RFC 8709 §6: 64 bytes.
const ed25519: Check = (bytes, key, signature) =>
  signature.length === 64 && verify(null, bytes, key, signature)

// The algorithm of these is called as the key is.
const only = (name: string, check: Check): [string, Map<string, Check>] => [
  name,
  new Map([[name, check]]),
]

/** By the type of the key and the algorithm of the signature; both are the sender's to choose. */
const CHECKS: ReadonlyMap<string, ReadonlyMap<string, Check>> = new Map([
  only('ssh-ed25519', ed25519),
  only('ecdsa-sha2-nistp256', ecdsa('sha256', 32)),
  only('ecdsa-sha2-nistp384', ecdsa('sha384', 48)),
  only('ecdsa-sha2-nistp521', ecdsa('sha512', 66)),
  only('sk-ssh-ed25519@openssh.com', ed25519),
  only('sk-ecdsa-sha2-nistp256@openssh.com', ecdsa('sha256', 32)),
  [
    'ssh-rsa',
    new Map([
      ['rsa-sha2-256', rsa('sha256')],
      ['rsa-sha2-512', rsa('sha512')],
    ]),
  ],
])

/** A positive mpint (RFC 4251 §5) in exactly `size` bytes; one zero in front of it is its sign. */
function unsigned(mpint: Buffer, size: number): Buffer | undefined {
  if (mpint.length > size + 1) return undefined
  if ((mpint[0] ?? 0) >= 0x80) return undefined
  const first = mpint.findIndex(byte => byte !== 0)
  const bytes = first === -1 ? Buffer.alloc(0) : mpint.subarray(first)
  if (bytes.length > size) return undefined
  return Buffer.concat([Buffer.alloc(size - bytes.length), bytes])
}

function refuse(code: SignatureRefusalCode, message: string): SignatureVerdict {
  return { kind: 'refused', code, message }
}
