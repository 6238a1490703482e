import { createPublicKey, type KeyObject } from 'node:crypto'
import sshpk from 'sshpk'

/**
 * Decodes an SSH public key blob (RFC 4253 §6.6), strictly: `undefined` unless every byte is used
 * and the key could be loaded by sshd. The only place that knows sshpk.
 */
export function decodePublicKey(blob: Buffer): { bits: number; key: KeyObject } | undefined {
  try {
    const key = sshpk.parseKey(blob, 'rfc4253')
    if (!key.toBuffer('rfc4253', {}).equals(blob)) return undefined
    // sshpk takes a point that is not on its curve; sshd doesn't, and would ignore every later line.
    return { bits: key.size, key: createPublicKey(key.toString('pkcs8')) }
  } catch {
    return undefined
  }
}
