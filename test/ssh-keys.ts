import { generateKeyPairSync, type KeyObject } from 'node:crypto'

/** A string of the SSH wire format: its length in four bytes, then its bytes (RFC 4251 §5). */
export function wireString(value: Buffer | string): Buffer {
  const bytes = Buffer.from(value as Buffer)
  const length = Buffer.alloc(4)
  length.writeUInt32BE(bytes.length)
  return Buffer.concat([length, bytes])
}

/** A multiple precision integer: a zero byte in front where the sign bit would be set. */
function wireInteger(bytes: Buffer): Buffer {
  return wireString((bytes[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.of(0), bytes]) : bytes)
}

const field = (key: KeyObject, name: 'x' | 'y' | 'n' | 'e') =>
  Buffer.from(key.export({ format: 'jwk' })[name] ?? '', 'base64url')

/** The `type base64` of a new key, without OpenSSH: the core tier needs nothing but node. */
export function newKeyLine(
  type: 'ed25519' | 'p256' | 'p384' | 'p521' | 'rsa',
  bits = 3072,
): string {
  const [name, blob] = newKey(type, bits)
  return `${name} ${Buffer.concat([wireString(name), blob]).toString('base64')}`
}

function newKey(
  type: 'ed25519' | 'p256' | 'p384' | 'p521' | 'rsa',
  bits: number,
): [string, Buffer] {
  if (type === 'ed25519') {
    const { publicKey } = generateKeyPairSync('ed25519')
    return ['ssh-ed25519', wireString(field(publicKey, 'x'))]
  }
  if (type === 'rsa') {
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength: bits })
    const numbers = [wireInteger(field(publicKey, 'e')), wireInteger(field(publicKey, 'n'))]
    return ['ssh-rsa', Buffer.concat(numbers)]
  }
  const curve = `nist${type}`
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: type.replace('p', 'P-') })
  const point = Buffer.concat([Buffer.of(4), field(publicKey, 'x'), field(publicKey, 'y')])
  return [`ecdsa-sha2-${curve}`, Buffer.concat([wireString(curve), wireString(point)])]
}
