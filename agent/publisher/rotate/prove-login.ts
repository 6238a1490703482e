import { runOperatorCommand } from './operator-command.ts'

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
  const env = { POMERIUM_NEW_CA: fingerprints.join(' ') }
  const { all, failure } = await runOperatorCommand(command, env, { shown: true })
  if (failure !== undefined) return { proved: false, why: `the command ${failure}` }
  if (fingerprints.some(each => all.includes(each))) return { proved: true }
  const why = 'the command worked, but its output does not name the new CA'
  return { proved: false, why }
}
