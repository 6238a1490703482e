import { execa } from 'execa'

/** For a person to sign in meanwhile, in milliseconds. */
const PATIENCE_MS = 5 * 60_000

/**
 * Runs the operator's command, which logs in through Pomerium and prints what sshd logged of it. While
 * hosts trust both CAs a login by itself proves nothing: the new CA's fingerprint must be in the
 * output, as in sshd's "Accepted publickey … CA ED25519 SHA256:…". The command has the fingerprint as
 * `$POMERIUM_NEW_CA`.
 */
export async function proveLogin(
  command: string,
  fingerprints: readonly string[],
): Promise<{ proved: true } | { proved: false; why: string }> {
  const isTerminal = process.stdin.isTTY === true
  const { all, exitCode, timedOut } = await execa('sh', ['-c', command], {
    reject: false,
    all: true,
    stdin: isTerminal ? 'inherit' : 'ignore',
    // Pomerium asks people to open a page, and they must see it.
    stdout: [process.stderr, 'pipe'],
    stderr: ['inherit', 'pipe'],
    timeout: PATIENCE_MS,
    env: { POMERIUM_NEW_CA: fingerprints.join(' ') },
  })
  if (timedOut) return { proved: false, why: 'the command did not end within 5 minutes' }
  if (exitCode !== 0) return { proved: false, why: `the command failed (exit code ${exitCode})` }
  if (fingerprints.some(each => all.includes(each))) return { proved: true }
  const why = 'the command worked, but its output does not name the new CA: hosts trust both'
  return { proved: false, why }
}
