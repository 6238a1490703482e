import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Bundle, type BundleRefused, parseBundle } from '../core/bundle/bundle.ts'
import { messageOf } from '../core/outcome/failures.ts'
import { NAMESPACE, type SignatureVerdict, verifySshsig } from '../core/trust/sshsig.ts'
import { sshKeygen } from './ssh-keygen.ts'

/** The signed bundle, and whose key signed it; or why there is none. */
export type Signed =
  | { kind: 'signed'; text: string; bundle: Bundle; fingerprint: string }
  | { kind: 'problem'; message: string }
  | BundleRefused
  | Extract<SignatureVerdict, { kind: 'refused' }>

/**
 * Signs a bundle by `ssh-keygen -Y sign`; an older signature is replaced. `key` is a private key's
 * file, or a `.pub` whose private half an ssh-agent has. What comes out is verified as a host would.
 */
export async function signBundle(bytes: Uint8Array, key: string): Promise<Signed> {
  const given = parseBundle(bytes)
  if (given.kind === 'refused') return given
  const unsigned = Buffer.from(given.signature?.signed ?? bytes).toString()
  // The signature begins a line of its own.
  const message = unsigned.endsWith('\n') ? unsigned : `${unsigned}\n`
  const armor = await sshKeygenSign(message, key)
  if (armor.kind === 'problem') return armor
  const text = `${message}${armor.text}`
  const bundle = parseBundle(Buffer.from(text))
  if (bundle.kind === 'refused') return bundle
  const verdict = verifySshsig(armor.text, Buffer.from(message))
  if (verdict.kind === 'refused') return verdict
  return { kind: 'signed', text, bundle, fingerprint: verdict.fingerprint }
}

type Armor = { kind: 'armor'; text: string } | { kind: 'problem'; message: string }

// The message goes through a file: standard input is where ssh-keygen asks for a passphrase.
async function sshKeygenSign(message: string, key: string): Promise<Armor> {
  let folder: string
  try {
    folder = mkdtempSync(join(tmpdir(), 'pomerium-host-agent-'))
  } catch (error) {
    return { kind: 'problem', message: `no file can be made in ${tmpdir()}: ${messageOf(error)}` }
  }
  try {
    const file = join(folder, 'bundle')
    writeFileSync(file, message)
    const signing = await sshKeygen(key, ['-q', '-Y', 'sign', '-f', key, '-n', NAMESPACE, file])
    if (signing.kind === 'problem') return signing
    return { kind: 'armor', text: readFileSync(`${file}.sig`, 'utf8') }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
