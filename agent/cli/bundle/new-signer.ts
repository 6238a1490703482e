import { hostname, userInfo } from 'node:os'
import { isSignerName, newSigner as makeSigner } from '../../publisher/new-signer.ts'
import { parseFlags } from '../terminal/flags.ts'
import { type Invocation, UsageError } from '../terminal/invocation.ts'

/** Makes a key that signs bundles, and prints the line by which hosts know it. */
export async function newSigner({ args }: Invocation): Promise<number> {
  const { values, positionals } = parseFlags({
    args,
    allowPositionals: true,
    options: { name: { type: 'string' }, 'no-passphrase': { type: 'boolean' } },
  })
  const [file, ...more] = positionals
  if (file === undefined || more.length > 0)
    throw new UsageError('bundle new-signer wants one FILE')
  const name = values.name ?? ownName()
  if (name === undefined || !isSignerName(name)) {
    throw new UsageError('--name must be a plain name, as alice@laptop: no blank, comma or pattern')
  }
  const noPassphrase = values['no-passphrase'] ?? false
  // Where nobody can be asked, ssh-keygen would take silence for: none.
  if (!noPassphrase && process.stdin.isTTY !== true) {
    throw new UsageError(
      'ssh-keygen asks for a passphrase, and there is no terminal here; --no-passphrase for a key without one',
    )
  }
  const made = await makeSigner({ file, name, noPassphrase })
  if (made.kind === 'problem') throw new UsageError(made.message)
  process.stdout.write(`${made.line}\n`)
  process.stderr.write(
    `${file} signs: bundle sign --key ${file}. The line that was printed goes\n` +
      "into the hosts' signers file (trust.signers_file; of install.sh:\n" +
      '--signers-file)\n',
  )
  return 0
}

// As ssh-keygen itself names a key. A process may have a user that no list knows.
function ownName(): string | undefined {
  try {
    return `${userInfo().username}@${hostname()}`
  } catch {
    return undefined
  }
}
