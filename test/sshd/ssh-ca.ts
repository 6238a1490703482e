// A User CA and certificates of exactly the shape that Pomerium issues, made by ssh-keygen(1).

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { tempDir } from './temp-dir.ts'

export type KeyType = 'ed25519' | 'ecdsa' | 'rsa'

export interface Ca extends AsyncDisposable {
  readonly type: KeyType
  /** Path of the private key. The public key lies beside it, with `.pub`. */
  readonly privateKey: string
  /** The line that a host must hold to trust this CA, without a line feed. */
  readonly publicKey: string
  /** As OpenSSH prints it: `SHA256:…`. */
  readonly fingerprint: string
  /** Makes a new user key and signs it. The files are gone with the CA. */
  issue(shape?: CertificateShape): Promise<Certificate>
}

/** What a certificate differs in from Pomerium's, which is what it is if nothing is given. */
export interface CertificateShape {
  /** Login names; Pomerium names exactly one. `alice` if not given; none makes one for nobody. */
  principals?: readonly string[]
  /** As `ssh-keygen -V` has it; from one minute ago for an hour if not given. */
  validity?: string
  serial?: number
  keyId?: string
  /** The user key's type: Pomerium takes ed25519, else ecdsa, else RSA. */
  keyType?: KeyType
  /** Further `ssh-keygen -O` options, e.g. `clear`, `source-address=192.0.2.0/24`. */
  options?: readonly string[]
}

export interface Certificate {
  /** Path of the user's private key. */
  readonly privateKey: string
  /** Path of the certificate. */
  readonly certificate: string
}

const bits: Record<KeyType, string> = { ed25519: '256', ecdsa: '256', rsa: '3072' }

/** Makes a User CA in a temporary folder. An RSA one signs with rsa-sha2-512, as Pomerium's does. */
export async function makeCa(type: KeyType = 'ed25519', comment = 'pomerium-user-ca'): Promise<Ca> {
  const folder = await tempDir()
  const privateKey = join(folder.path, 'user_ca_key')
  await generateKey(privateKey, type, comment)
  const printed = await execa('ssh-keygen', ['-l', '-f', `${privateKey}.pub`])
  let issued = 0
  return {
    type,
    privateKey,
    publicKey: (await readFile(`${privateKey}.pub`, 'utf8')).trimEnd(),
    fingerprint: printed.stdout.split(' ')[1] ?? '',
    async issue(shape = {}) {
      issued += 1
      const userKey = join(folder.path, `user_key_${issued}`)
      await generateKey(userKey, shape.keyType ?? 'ed25519', '')
      const { principals = ['alice'], validity = '-1m:+1h', serial = 1, keyId = '' } = shape
      const args = ['-q', '-s', privateKey, '-I', keyId, '-z', String(serial), '-V', validity]
      if (principals.length > 0) args.push('-n', principals.join(','))
      if (type === 'rsa') args.push('-t', 'rsa-sha2-512')
      for (const option of shape.options ?? []) args.push('-O', option)
      await execa('ssh-keygen', [...args, `${userKey}.pub`])
      return { privateKey: userKey, certificate: `${userKey}-cert.pub` }
    },
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  }
}

/** Makes a key pair without passphrase: `path` with mode 0600, and `path`.pub. */
export async function generateKey(path: string, type: KeyType, comment = ''): Promise<void> {
  const shape = ['-t', type, '-b', bits[type], '-N', '', '-C', comment]
  await execa('ssh-keygen', ['-q', ...shape, '-f', path])
}
