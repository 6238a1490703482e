import { join } from 'node:path'
import { messageAt } from '../../core/basics/format-place.ts'
import { optional } from '../../core/basics/when-defined.ts'
import { trustedKeys } from '../../core/outcome/outcome.ts'
import { type AllowedSigner, parseAllowedSigners } from '../../core/trust/allowed-signers.ts'
import { withSecondVerdict } from '../../core/trust/second-verifier.ts'
import { acceptBundle } from '../../core/trust/trust.ts'
import { realFileSystem } from '../../provisioner/files/file-system.ts'
import { localTime } from '../../provisioner/openssh/local-time.ts'
import { openSecondVerifier } from '../../provisioner/openssh/second-verifier.ts'
import { runCommand } from '../../provisioner/processes/run-command.ts'
import { readBundle, readNamed, SOURCE_FLAGS } from '../operator/read-bundle.ts'
import { printRefusal } from '../operator/refusal.ts'
import { warn } from '../operator/warn.ts'
import { parseFlags } from '../terminal/flags.ts'
import { type Invocation, UsageError } from '../terminal/invocation.ts'
import { paint, print, printJson } from '../terminal/screen.ts'

/** Judges a bundle as a host would that has this signers file and has seen no bundle yet. */
export async function verify(invocation: Invocation): Promise<number> {
  const { values, positionals } = parseFlags({
    args: invocation.args,
    allowPositionals: true,
    options: { signers: { type: 'string' }, json: { type: 'boolean' }, ...SOURCE_FLAGS },
  })
  const json = values.json ?? false
  if (values.signers === undefined) {
    throw new UsageError('bundle verify wants --signers FILE, as the hosts have it')
  }
  const signers = readSigners(values.signers)
  const [place = '-'] = positionals
  const read = await readBundle(place, values, invocation)
  if (read.kind === 'failed') return printRefusal(place, read, json)
  const accepted = await judge(read.bytes, signers, invocation)
  if (accepted.kind === 'refused') return printRefusal(read.name, accepted, json)
  if (accepted.kind === 'host-refused') throw new UsageError(accepted.message)
  for (const warning of accepted.warnings) warn(warning)
  const { signer, bundle } = accepted
  if (json) {
    printJson({
      outcome: 'verified',
      signer,
      ...optional('serial', bundle.serial),
      keys: trustedKeys(bundle.keys),
    })
  } else {
    print(`${paint('green', 'verified')}: signed by ${signer?.principal}, with the key`)
    print(`  ${signer?.fingerprint}`)
  }
  return 0
}

// By both verifiers, as a host does; ssh-keygen is the one that the operator's shell finds.
async function judge(
  bytes: Uint8Array,
  signers: readonly AllowedSigner[],
  { environment }: Invocation,
) {
  const accepted = acceptBundle(bytes, undefined, { signers }, new Date())
  if (accepted.kind === 'refused' || accepted.question === undefined) return accepted
  const folders = environment.PATH?.split(':').filter(folder => folder.startsWith('/')) ?? []
  const programs = folders.map(folder => join(folder, 'ssh-keygen'))
  const askAgain = openSecondVerifier(realFileSystem, runCommand, { programs })
  return withSecondVerdict(accepted, await askAgain(accepted.question))
}

function readSigners(path: string) {
  const parsed = parseAllowedSigners(readNamed(path).toString(), localTime)
  if ('signers' in parsed) return parsed.signers
  throw new UsageError(parsed.faults.map(fault => messageAt(path, fault)).join('\n'))
}
