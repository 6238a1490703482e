import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { wireString } from '../agent/core/keys/wire-strings.ts'

/** A multiple precision integer: a zero byte in front where the sign bit would be set. */
export function wireInteger(bytes: Buffer): Buffer {
  return wireString((bytes[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.of(0), bytes]) : bytes)
}

const field = (key: KeyObject, name: 'x' | 'y' | 'n' | 'e') =>
  Buffer.from(key.export({ format: 'jwk' })[name] ?? '', 'base64url')

export type KeyKind = 'ed25519' | 'p256' | 'p384' | 'p521' | 'rsa'
/** The same on a token (PROTOCOL.u2f), which is played. */
export type TokenKind = 'sk-ed25519' | 'sk-p256'

/** The `type base64` of a new key, without OpenSSH: the core tier needs nothing but node. */
export function newKeyLine(kind: KeyKind, bits = 3072): string {
  return publicLine(kind, newKeyPair(kind, bits).publicKey)
}

export function newKeyPair(
  kind: KeyKind,
  bits = 3072,
): { publicKey: KeyObject; privateKey: KeyObject } {
  if (kind === 'ed25519') return generateKeyPairSync('ed25519')
  if (kind === 'rsa') return generateKeyPairSync('rsa', { modulusLength: bits })
  return generateKeyPairSync('ec', { namedCurve: kind.replace('p', 'P-') })
}

export function publicLine(kind: KeyKind, key: KeyObject): string {
  const [name, blob] = publicBlob(kind, key)
  return `${name} ${Buffer.concat([wireString(name), blob]).toString('base64')}`
}

function publicBlob(kind: KeyKind, key: KeyObject): [string, Buffer] {
  if (kind === 'ed25519') return ['ssh-ed25519', wireString(field(key, 'x'))]
  if (kind === 'rsa') {
    return ['ssh-rsa', Buffer.concat([wireInteger(field(key, 'e')), wireInteger(field(key, 'n'))])]
  }
  const curve = `nist${kind}`
  const point = Buffer.concat([Buffer.of(4), field(key, 'x'), field(key, 'y')])
  return [`ecdsa-sha2-${curve}`, Buffer.concat([wireString(curve), wireString(point)])]
}

/** `type base64` of a key that a token holds. */
export function tokenLine(kind: TokenKind, key: KeyObject, application: string): string {
  const plain = kind === 'sk-p256' ? 'p256' : 'ed25519'
  const [name, blob] = publicBlob(plain, key)
  const type = `sk-${name}@openssh.com`
  const whole = Buffer.concat([wireString(type), blob, wireString(application)])
  return `${type} ${whole.toString('base64')}`
}
