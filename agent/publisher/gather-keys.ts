import { type BundleRefused, parseBundle } from '../core/bundle/bundle.ts'
import type { CaKey } from '../core/keys/ca-key.ts'
import { messageOf } from '../core/outcome/failures.ts'
import { readBounded } from './read-bounded.ts'
import { sshKeygen } from './ssh-keygen.ts'

/** The keys of all files; or the first file that can't be read, or that holds none for a host. */
export type Gathered =
  | { kind: 'gathered'; keys: CaKey[]; revoked: CaKey[] }
  | { kind: 'problem'; message: string }
  | { kind: 'refused'; file: string; refusal: BundleRefused }

/**
 * The public keys of `.pub` files, of bundles, and of private keys' files, and those that bundles revoke.
 * The same key in two files is taken once.
 */
export async function gatherKeys(files: readonly string[]): Promise<Gathered> {
  const keys = new Map<string, CaKey>()
  const revoked = new Map<string, CaKey>()
  for (const file of files) {
    const lines = await publicLines(file)
    if (!Buffer.isBuffer(lines)) return lines
    const bundle = parseBundle(lines)
    if (bundle.kind === 'refused') return { kind: 'refused', file, refusal: bundle }
    for (const key of bundle.keys) keys.set(key.base64, keys.get(key.base64) ?? key)
    for (const key of bundle.revoked) revoked.set(key.base64, revoked.get(key.base64) ?? key)
  }
  return { kind: 'gathered', keys: [...keys.values()], revoked: [...revoked.values()] }
}

async function publicLines(file: string): Promise<Buffer | { kind: 'problem'; message: string }> {
  let content: Buffer
  try {
    content = readBounded(file)
  } catch (error) {
    return { kind: 'problem', message: `${file} can't be read: ${messageOf(error)}` }
  }
  // The private half is left to ssh-keygen: only the line that it prints comes through here.
  if (!/PRIVATE KEY-----|^PuTTY-User-Key-File/.test(content.toString('latin1'))) return content
  const half = await sshKeygen(file, ['-y', '-f', file])
  return half.kind === 'done' ? Buffer.from(`${half.stdout}\n`) : half
}
