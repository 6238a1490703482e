import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'

/** Who signs a release: `publicKey` is `type base64`, without a comment. */
export interface Signer {
  readonly publicKey: string
  readonly fingerprint: string
  /** True where the key exists for this build only. */
  readonly throwaway: boolean
  /** Signs `file` into `file.sig` (SSHSIG, namespace `file`), and checks the signature. */
  sign(file: string): Promise<void>
  [Symbol.dispose](): void
}

/**
 * The signer of the private key in the file `key`, or of a new one where it is undefined. A `.pub`
 * file means the key of that name in the ssh-agent. ssh-keygen asks for a passphrase itself.
 */
export async function openSigner(key: string | undefined): Promise<Signer> {
  const folder = mkdtempSync(join(tmpdir(), 'release-signer-'))
  const file = key ?? join(folder, 'throwaway')
  if (key === undefined) await execa('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', file])
  const publicLine = file.endsWith('.pub')
    ? readFileSync(file, 'utf8')
    : (await execa('ssh-keygen', ['-y', '-f', file], { stdin: 'inherit', stderr: 'inherit' }))
        .stdout
  const publicKey = publicLine.trim().split(/\s+/).slice(0, 2).join(' ')
  const blob = Buffer.from(publicKey.split(' ')[1] ?? '', 'base64')
  const digest = createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')
  return {
    publicKey,
    fingerprint: `SHA256:${digest}`,
    throwaway: key === undefined,
    async sign(target) {
      rmSync(`${target}.sig`, { force: true })
      await execa('ssh-keygen', ['-Y', 'sign', '-n', 'file', '-f', file, target], {
        stdin: 'inherit',
      })
      const signers = join(folder, 'allowed_signers')
      writeFileSync(signers, `release namespaces="file" ${publicKey}\n`)
      const who = ['-f', signers, '-I', 'release', '-n', 'file', '-s', `${target}.sig`]
      await execa('ssh-keygen', ['-Y', 'verify', ...who], { inputFile: target })
    },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  }
}
