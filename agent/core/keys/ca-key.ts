import { createHash } from 'node:crypto'
import { trimChars } from '../basics/trim-chars.ts'
import { decodePublicKey } from './public-key.ts'
import { firstWireString } from './wire-strings.ts'

/** Key types that a CA may have; sshd accepts more (`sk-*`, DSA), a Pomerium User CA never is one. */
const CA_KEY_TYPES = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'ssh-rsa',
] as const
export type CaKeyType = (typeof CA_KEY_TYPES)[number]

/** RSA moduli in bits: under the first refused, under the second warned about, over the third sshd can't load it. */
const RSA_BITS = { least: 2048, advised: 3072, most: 16384 }

/** One CA public key, decoded and checked. */
export interface CaKey {
  type: CaKeyType
  /** The key blob of RFC 4253 §6.6, base64 with padding. */
  base64: string
  comment: string
  /** `SHA256:…` as `ssh-keygen -l` prints it. */
  fingerprint: string
  /** Set where the key is allowed but weaker than advised. */
  warning?: string
}

export type KeyRefusalCode =
  | 'private-key'
  | 'certificate'
  | 'option-prefix'
  | 'sk-key'
  | 'dsa-key'
  | 'unknown-type'
  | 'type-mismatch'
  | 'malformed-key'
  | 'rsa-too-small'
  | 'rsa-too-large'

export type ParsedKey =
  | { kind: 'key'; key: CaKey }
  | { kind: 'refused'; code: KeyRefusalCode; message: string }

const refused = (code: KeyRefusalCode, message: string): ParsedKey => ({
  kind: 'refused',
  code,
  message,
})

/**
 * Reads one line `type base64 [comment]` (sshd(8), AUTHORIZED_KEYS FILE FORMAT, without options).
 * The line holds no control characters other than tab; its caller has seen to that.
 */
export function parseCaKey(line: string): ParsedKey {
  const [type = '', base64 = '', ...rest] = fields(line)
  if (!isCaKeyType(type)) return refuseType(type, line)
  const blob = Buffer.from(base64, 'base64')
  if (blob.length === 0 || blob.toString('base64') !== base64) {
    return refused('malformed-key', `the ${type} key is not whole base64; copy the line again`)
  }
  const innerType = firstWireString(blob)?.toString('latin1')
  if (innerType !== type) {
    return refused('type-mismatch', `the line says ${type}, the key inside is of another type`)
  }
  const decoded = decodePublicKey(blob)
  if (decoded === undefined) {
    return refused('malformed-key', `the ${type} key is cut off or damaged; copy the line again`)
  }
  if (type === 'ssh-rsa' && decoded.bits < RSA_BITS.least) {
    return refused(
      'rsa-too-small',
      `an RSA CA of ${decoded.bits} bits; ${RSA_BITS.least} is the least`,
    )
  }
  if (type === 'ssh-rsa' && decoded.bits > RSA_BITS.most) {
    return refused('rsa-too-large', `an RSA CA of ${decoded.bits} bits; sshd can't load it`)
  }
  const key: CaKey = {
    type,
    base64,
    comment: rest.join(' '),
    fingerprint: fingerprint(blob),
  }
  if (type === 'ssh-rsa' && decoded.bits < RSA_BITS.advised) {
    key.warning = `${key.fingerprint} is RSA of ${decoded.bits} bits; ${RSA_BITS.advised} or ed25519 is advised`
  }
  return { kind: 'key', key }
}

/** What stands between the blanks of a line; to sshd a no-break space is none, as it is to trim(). */
export function fields(line: string): string[] {
  return trimChars(line, ' \t\r', ' \t\r').split(/[ \t]+/)
}

/** The canonical line of a key, without newline. */
export function renderCaKey(key: Record<'type' | 'base64' | 'comment', string>): string {
  return key.comment === ''
    ? `${key.type} ${key.base64}`
    : `${key.type} ${key.base64} ${key.comment}`
}

function isCaKeyType(type: string): type is CaKeyType {
  return (CA_KEY_TYPES as readonly string[]).includes(type)
}

// The line itself is never quoted: what stands there may be a secret put in the wrong place.
function refuseType(type: string, line: string): ParsedKey {
  if (/PRIVATE KEY/.test(line) || /^PuTTY-User-Key-File/.test(type)) {
    return refused(
      'private-key',
      'a PRIVATE key is being served; take it down, and publish the .pub half only',
    )
  }
  if (/-cert-v0[01]@openssh\.com$/.test(type)) {
    return refused('certificate', 'a certificate stands where a CA public key is wanted')
  }
  if (/^(sk-|webauthn-sk-)/.test(type)) {
    return refused('sk-key', 'a security-key (sk-*) CA is not supported')
  }
  if (type === 'ssh-dss') return refused('dsa-key', 'DSA keys are not accepted by any current sshd')
  const keyTypes = [...CA_KEY_TYPES, 'ssh-dss', 'sk-ssh-ed25519@openssh.com'].join('|')
  if (new RegExp(`[ \\t](${keyTypes}|sk-[a-z0-9-]+@openssh\\.com)[ \\t]+AAAA`).test(line)) {
    return refused(
      'option-prefix',
      'options stand before the key (cert-authority …); a TrustedUserCAKeys file takes none',
    )
  }
  return refused(
    'unknown-type',
    'not a public key line; each line is "type base64 comment" as in a .pub file',
  )
}

/** `SHA256:…` of a key blob, as `ssh-keygen -l` prints it. */
export function fingerprint(blob: Buffer): string {
  return `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`
}
