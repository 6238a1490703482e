import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { messageOf } from '../../core/outcome/failures.ts'
import {
  type Question,
  readVerdict,
  type SecondVerdict,
  verifyArgs,
} from '../../core/trust/second-verifier.ts'
import { errorCode, type FileSystem, isThere } from '../files/file-system.ts'
import type { Run } from '../processes/run-command.ts'

/** Asks the machine's own `ssh-keygen -Y verify`. */
export type SecondVerifier = (question: Question) => Promise<SecondVerdict>

const SSH_KEYGEN_PATHS = ['/usr/bin/ssh-keygen', '/usr/local/bin/ssh-keygen']

/**
 * It is given what was read and judged here, not the places it was read from, which may hold something
 * else by now: the two files are made anew, in a folder that nobody else can write to.
 */
export function openSecondVerifier(
  fs: Pick<FileSystem, 'lstatSync'>,
  run: Run,
  {
    programs = SSH_KEYGEN_PATHS,
    folder: preferred,
  }: {
    programs?: readonly string[]
    /** Where root alone can write, and so fill the disk; else the folder for temporary files. */
    folder?: string
  } = {},
): SecondVerifier {
  return async question => {
    const program = programs.find(path => isThere(fs, path))
    if (program === undefined) return { kind: 'not-there', message: 'there is no ssh-keygen here' }
    let folder: string | undefined
    try {
      const parent = preferred !== undefined && isThere(fs, preferred) ? preferred : tmpdir()
      folder = mkdtempSync(join(parent, 'pomerium-host-agent-'))
      const [signers, signature] = [join(folder, 'signers'), join(folder, 'signature')] as const
      writeFileSync(signers, `${question.signersLine}\n`)
      writeFileSync(signature, question.armor)
      const argv = [program, ...verifyArgs(question, signers, signature)]
      return readVerdict(await run(argv, { input: question.signed }))
    } catch (error) {
      // No room, or nowhere to write.
      if (errorCode(error) === undefined) throw error
      return { kind: 'failed', message: messageOf(error) }
    } finally {
      if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
    }
  }
}
