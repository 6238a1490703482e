import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto'

/**
 * Decodes an SSH public key blob (RFC 4253 §6.6; ECDSA by RFC 5656 §3.1, Ed25519 by RFC 8709 §4),
 * strictly: `undefined` unless every byte is used in its only form and the key could be loaded by
 * sshd. Node refuses a point that is not on its curve; sshd would ignore every later line for it.
 */
export function decodePublicKey(blob: Buffer): { bits: number; key: KeyObject } | undefined {
  const fields = readStrings(blob)
  const decoded = fields === undefined ? undefined : decode(fields)
  if (decoded === undefined) return undefined
  try {
    return { bits: decoded.bits, key: createPublicKey({ key: decoded.jwk, format: 'jwk' }) }
  } catch {
    return undefined
  }
}

interface Decoded {
  jwk: JsonWebKey
  bits: number
}

function decode([name, ...fields]: readonly Buffer[]): Decoded | undefined {
  const type = name?.toString('latin1') ?? ''
  if (type === 'ssh-ed25519') return ed25519(fields)
  if (type === 'ssh-rsa') return rsa(fields)
  const curve = Object.hasOwn(CURVES, type) ? CURVES[type] : undefined
  return curve === undefined ? undefined : ecdsa(fields, curve)
}

function ed25519([x, ...more]: readonly Buffer[]): Decoded | undefined {
  if (x?.length !== 32 || more.length > 0) return undefined
  return { jwk: { kty: 'OKP', crv: 'Ed25519', x: x.toString('base64url') }, bits: 256 }
}

function rsa([exponent, modulus, ...more]: readonly Buffer[]): Decoded | undefined {
  const [e, n] = [readNumber(exponent), readNumber(modulus)]
  if (e === undefined || n === undefined || more.length > 0) return undefined
  const bits = n.length * 8 - Math.clz32(n[0] ?? 0) + 24
  return { jwk: { kty: 'RSA', e: e.toString('base64url'), n: n.toString('base64url') }, bits }
}

interface Curve {
  /** As the second field of the blob names it. */
  name: string
  /** As a JSON Web Key names it; RFC 7518 §6.2.1.1. */
  crv: string
  bits: number
}

const CURVES: Record<string, Curve> = {
  'ecdsa-sha2-nistp256': { name: 'nistp256', crv: 'P-256', bits: 256 },
  'ecdsa-sha2-nistp384': { name: 'nistp384', crv: 'P-384', bits: 384 },
  'ecdsa-sha2-nistp521': { name: 'nistp521', crv: 'P-521', bits: 521 },
}

// Only the uncompressed form of a point (SEC 1 §2.3.3): sshd takes no other.
function ecdsa(
  [name, point, ...more]: readonly Buffer[],
  { name: expected, crv, bits }: Curve,
): Decoded | undefined {
  const size = Math.ceil(bits / 8)
  if (name?.toString('latin1') !== expected || more.length > 0) return undefined
  if (point?.length !== 1 + 2 * size || point[0] !== 4) return undefined
  const x = point.subarray(1, 1 + size).toString('base64url')
  const y = point.subarray(1 + size).toString('base64url')
  return { jwk: { kty: 'EC', crv, x, y }, bits }
}

// RFC 4251 §5: `string` is a length of four bytes and as many bytes.
function readStrings(blob: Buffer): Buffer[] | undefined {
  const fields: Buffer[] = []
  for (let at = 0; at < blob.length; ) {
    if (at + 4 > blob.length) return undefined
    const end = at + 4 + blob.readUInt32BE(at)
    if (end > blob.length) return undefined
    fields.push(blob.subarray(at + 4, end))
    at = end
  }
  return fields
}

// RFC 4251 §5: `mpint`, here above zero; a zero byte leads where the first bit is set, and only there.
function readNumber(field: Buffer | undefined): Buffer | undefined {
  const [first, second = 0] = field ?? []
  if (field === undefined || first === undefined || first >= 0x80) return undefined
  if (first !== 0) return field
  return second >= 0x80 ? field.subarray(1) : undefined
}
