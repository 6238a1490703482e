import { execa } from 'execa'

export type KeygenResult = { kind: 'done'; stdout: string } | { kind: 'problem'; message: string }

const TIMEOUT_MS = 30_000

/**
 * Runs ssh-keygen(1) on a key file. Where there is a terminal it may ask for a passphrase there, for
 * as long as a person takes. A problem says what to do, and never what stood in the file.
 */
export async function sshKeygen(key: string, args: readonly string[]): Promise<KeygenResult> {
  if (!hasWorkingDirectory()) return problem('the working directory was deleted; change to another')
  const asks = process.stdin.isTTY === true
  const result = await execa('ssh-keygen', args, {
    reject: false,
    stdin: asks ? 'inherit' : 'ignore',
    stderr: asks ? ['inherit', 'pipe'] : 'pipe',
    // Without a terminal no window may pop up, nor wait for a person who is not there.
    ...(asks
      ? {}
      : { env: { SSH_ASKPASS_REQUIRE: 'never', DISPLAY: undefined }, timeout: TIMEOUT_MS }),
  })
  if (result.exitCode === 0) return { kind: 'done', stdout: result.stdout }
  if (result.exitCode === undefined) {
    return problem(`ssh-keygen did not run (${result.code}); install openssh-client`)
  }
  return problem(`${key}: ${whyNot(result.stderr)}`)
}

// Else it can't be started; what is named from there can't be found anyway.
function hasWorkingDirectory(): boolean {
  try {
    process.cwd()
    return true
  } catch {
    return false
  }
}

function whyNot(stderr: string): string {
  if (/passphrase/.test(stderr)) {
    return 'the key is encrypted; run this in a terminal to be asked, or name its .pub file'
  }
  if (/UNPROTECTED/.test(stderr)) {
    return 'the private key can be read by others, and ssh-keygen refuses it; chmod 600 it'
  }
  return `ssh-keygen can't use this key (${stderr.trim().split('\n').at(-1) ?? ''})`
}

const problem = (message: string): KeygenResult => ({ kind: 'problem', message })
