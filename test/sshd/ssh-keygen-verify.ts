// Asks plain ssh-keygen(1) about a bundle, split as anybody with a text editor would split it.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import { tempDir } from './temp-dir.ts'

const BEGIN = '-----BEGIN SSH SIGNATURE-----'

/** Whether `ssh-keygen -Y verify` takes what stands from the first BEGIN line on for all before it. */
export async function sshKeygenVerify(
  bundle: string | Buffer,
  signersFile: string,
  principal: string,
): Promise<boolean> {
  const bytes = Buffer.from(bundle as string)
  const begin = beginningOfSignature(bytes)
  if (begin === -1) return false
  await using folder = await tempDir()
  const signature = join(folder.path, 'sig')
  writeFileSync(signature, bytes.subarray(begin))
  const names = ['-n', 'pomerium-user-ca', '-I', principal, '-f', signersFile, '-s', signature]
  const { exitCode } = await execa('ssh-keygen', ['-Y', 'verify', ...names], {
    input: bytes.subarray(0, begin),
    reject: false,
  })
  return exitCode === 0
}

function beginningOfSignature(bytes: Buffer): number {
  if (bytes.indexOf(BEGIN) === 0) return 0
  const at = bytes.indexOf(`\n${BEGIN}`)
  return at === -1 ? -1 : at + 1
}
