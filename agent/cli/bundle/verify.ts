import { parseAllowedSigners } from '../../core/allowed-signers.ts'
import { messageAt } from '../../core/at-line.ts'
import { optional } from '../../core/optional.ts'
import { trustedKeys } from '../../core/outcome.ts'
import { acceptBundle } from '../../core/trust.ts'
import { localTime } from '../../provisioner/local-time.ts'
import { parseFlags } from '../flags.ts'
import { type Invocation, UsageError } from '../invocation.ts'
import { paint, print, printJson } from '../screen.ts'
import { readBundle, readNamed, SOURCE_FLAGS } from './read-bundle.ts'
import { printRefusal } from './refusal.ts'

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
  const accepted = acceptBundle(read.bytes, undefined, { signers }, new Date())
  if (accepted.kind === 'refused') return printRefusal(read.name, accepted, json)
  const { signer, bundle } = accepted
  if (json) {
    printJson({
      outcome: 'verified',
      signer,
      ...optional('serial', bundle.serial),
      keys: trustedKeys(bundle.keys),
    })
  } else {
    print(`${paint('green', 'verified')}: signed by ${signer?.principal}`)
    print(`  ${signer?.fingerprint}`)
  }
  return 0
}

function readSigners(path: string) {
  const parsed = parseAllowedSigners(readNamed(path).toString(), localTime)
  if ('signers' in parsed) return parsed.signers
  throw new UsageError(parsed.faults.map(fault => messageAt(path, fault)).join('\n'))
}
