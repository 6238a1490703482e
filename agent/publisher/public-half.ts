import { execa } from 'execa'

/** A `.pub` line, or why there is none; the problem says what to do, and never what stood in the file. */
export type PublicHalf = { kind: 'line'; line: string } | { kind: 'problem'; message: string }

/** Whether a file's text is a private key's, of any form. */
export function isPrivateKey(text: string): boolean {
  return /PRIVATE KEY-----|^PuTTY-User-Key-File/.test(text)
}

/**
 * The `.pub` line of a private key's file, by `ssh-keygen -y`, which asks for a passphrase on the
 * terminal where there is one.
 */
export async function derivePublicKey(path: string): Promise<PublicHalf> {
  const asks = process.stdin.isTTY === true
  const result = await execa('ssh-keygen', ['-y', '-f', path], {
    reject: false,
    stdin: asks ? 'inherit' : 'ignore',
    stderr: asks ? ['inherit', 'pipe'] : 'pipe',
    // Without a terminal no window may pop up, nor wait for a person who is not there.
    ...(asks ? {} : { env: { SSH_ASKPASS_REQUIRE: 'never', DISPLAY: undefined }, timeout: 30_000 }),
  })
  if (result.exitCode === 0) return { kind: 'line', line: result.stdout.trim() }
  if (result.exitCode === undefined) {
    return problem(`ssh-keygen did not run (${result.code}); install openssh-client`)
  }
  return problem(`${path}: ${whyNot(result.stderr)}`)
}

function whyNot(stderr: string): string {
  if (/incorrect passphrase|passphrase supplied/.test(stderr)) {
    return 'the key is encrypted; run this in a terminal to be asked, or name its .pub file'
  }
  if (/UNPROTECTED/.test(stderr)) {
    return 'the private key can be read by others, and ssh-keygen refuses it; chmod 600 it'
  }
  const last = stderr.trim().split('\n').at(-1) ?? ''
  return `ssh-keygen can't read the key (${last}); name its .pub file instead`
}

const problem = (message: string): PublicHalf => ({ kind: 'problem', message })
