import { lstatSync, readFileSync } from 'node:fs'
import { NAMESPACE } from '../core/trust/sshsig.ts'
import { sshKeygen } from './ssh-keygen.ts'

export interface SignerWish {
  /** Where the private key goes; the public one goes beside it, as `.pub`. */
  file: string
  /** Whose key it is: the principal of its line. */
  name: string
  /** Without, ssh-keygen asks for one in the terminal. */
  noPassphrase: boolean
}

/** The line of the new key for the hosts' signers file; or why there is no new key. */
export type NewSigner = { kind: 'made'; line: string } | { kind: 'problem'; message: string }

/** Whether a name can stand before a key in `allowed_signers`: no pattern, no list, no option. */
export const isSignerName = (name: string) => /^[\w.@+][\w.@+-]{0,127}$/.test(name)

/** Makes an ed25519 key for signing bundles. What is there is never overwritten. */
export async function newSigner({ file, name, noPassphrase }: SignerWish): Promise<NewSigner> {
  const there = [file, `${file}.pub`].find(each => lstatSync(each, { throwIfNoEntry: false }))
  if (there !== undefined) return problem(`${there} is there already, and is not overwritten`)
  const passphrase = noPassphrase ? ['-N', ''] : []
  const args = ['-q', '-t', 'ed25519', '-C', name, '-f', file, ...passphrase]
  const made = await sshKeygen(file, args)
  if (made.kind === 'problem') return made
  const key = readFileSync(`${file}.pub`, 'utf8').trim()
  return { kind: 'made', line: `${name} namespaces="${NAMESPACE}" ${key}` }
}

const problem = (message: string): NewSigner => ({ kind: 'problem', message })
