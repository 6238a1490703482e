import { signBundle } from '../../publisher/sign-bundle.ts'
import { giveOut } from '../operator/give-out.ts'
import { readBundle, SOURCE_FLAGS } from '../operator/read-bundle.ts'
import { printRefusal } from '../operator/refusal.ts'
import { warn, warnOfSize } from '../operator/warn.ts'
import { parseFlags } from '../terminal/flags.ts'
import { type Invocation, UsageError } from '../terminal/invocation.ts'

/** Signs a bundle, in place of any signature it has. */
export async function sign(invocation: Invocation): Promise<number> {
  const { values, positionals } = parseFlags({
    args: invocation.args,
    allowPositionals: true,
    options: {
      key: { type: 'string', short: 'k' },
      output: { type: 'string', short: 'o' },
      ...SOURCE_FLAGS,
    },
  })
  const { key, output } = values
  if (key === undefined) {
    throw new UsageError(
      'bundle sign wants --key FILE: a private key, or the .pub of one that ssh-agent holds',
    )
  }
  const [place = '-'] = positionals
  const read = await readBundle(place, values, invocation)
  if (read.kind === 'failed') return printRefusal(place, read, false)
  const signed = await signBundle(read.bytes, key)
  if (signed.kind === 'problem') throw new UsageError(signed.message)
  if (signed.kind === 'refused') return printRefusal(read.name, signed, false)
  const { text, bundle, fingerprint } = signed
  if (bundle.serial === undefined) warn('no serial: an older signed bundle can be replayed')
  warnOfSize(text)
  giveOut(text, output)
  process.stderr.write(`signed by ${fingerprint}\n`)
  return 0
}
