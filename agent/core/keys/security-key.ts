import { createHash } from 'node:crypto'
import { fields, fingerprint } from './ca-key.ts'
import { decodePublicKey } from './public-key.ts'
import { readWireStrings, wireString } from './wire-strings.ts'

/** A key that lives on a token and signs more than it is given (OpenSSH's PROTOCOL.u2f). */
export interface SecurityKey {
  /** The same key as one of the plain kind. */
  plain: Buffer
  /** What the token took it to be for: `ssh:`, or what `ssh-keygen -O application=` said. */
  application: Buffer
}

/** By type: the plain type, and how many strings stand between it and the application. */
const KINDS: ReadonlyMap<string, readonly [plain: string, strings: number]> = new Map([
  ['sk-ssh-ed25519@openssh.com', ['ssh-ed25519', 1]],
  ['sk-ecdsa-sha2-nistp256@openssh.com', ['ecdsa-sha2-nistp256', 2]],
])

export const isSecurityKeyType = (type: string) => KINDS.has(type)

/** Reads the blob of such a key; `undefined` where it is damaged, or of another kind. */
export function readSecurityKey(type: string, blob: Buffer): SecurityKey | undefined {
  const [plainType, strings] = KINDS.get(type) ?? []
  if (plainType === undefined || strings === undefined) return undefined
  const [inner, ...fields] = readWireStrings(blob, strings + 2) ?? []
  const application = fields.pop()
  if (inner?.toString('latin1') !== type || application === undefined) return undefined
  const plain = Buffer.concat([plainType, ...fields].map(wireString))
  return decodePublicKey(plain) && { plain, application }
}

/** One line `type base64 [comment]`, for a signer; `undefined` where it is no such key, or damaged. */
export function parseSecurityKey(line: string) {
  const [type = '', base64 = '', ...rest] = fields(line)
  const blob = Buffer.from(base64, 'base64')
  if (blob.toString('base64') !== base64 || readSecurityKey(type, blob) === undefined) {
    return undefined
  }
  return { type, base64, comment: rest.join(' '), fingerprint: fingerprint(blob) }
}

/** Behind such a signature: a byte of flags and a counter of four bytes. */
export const TOKEN_TAIL = 5

/** Whether somebody touched the token. ssh-keygen does not ask; sshd does, and so do we. */
export const wasTouched = (tail: Buffer) => ((tail[0] ?? 0) & 0x01) !== 0

/** What the token has signed for `message`. */
export function signedByToken({ application }: SecurityKey, tail: Buffer, message: Buffer): Buffer {
  const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest()
  return Buffer.concat([sha256(application), tail, sha256(message)])
}
