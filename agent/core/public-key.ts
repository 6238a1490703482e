import { createPublicKey } from 'node:crypto'
import sshpk from 'sshpk'

/**
 * Decodes an SSH public key blob (RFC 4253 §6.6), strictly: `undefined` unless every byte is used
 * and the key could be loaded by sshd. The only place that knows sshpk.
 */
export function decodePublicKey(blob: Buffer): { bits: number } | undefined {
  let key: sshpk.Key
  try {
    key = sshpk.parseKey(blob, 'rfc4253')
    if (!key.toBuffer('rfc4253', {}).equals(blob)) return undefined
    // sshpk takes a point that is not on its curve; sshd doesn't, and would ignore every later line.
    createPublicKey(key.toString('pkcs8'))
  } catch {
    return undefined
  }
  return { bits: key.size }
}
