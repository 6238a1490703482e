import { formatDistance } from '../../core/basics/time-span.ts'
import { type Bundle, parseBundle } from '../../core/bundle/bundle.ts'
import { renderTime } from '../../core/bundle/headers.ts'
import { trustedKeys } from '../../core/outcome/outcome.ts'
import { verifySshsig } from '../../core/trust/sshsig.ts'
import { readBundle, SOURCE_FLAGS } from '../operator/read-bundle.ts'
import { printRefusal } from '../operator/refusal.ts'
import { parseFlags } from '../terminal/flags.ts'
import type { Invocation } from '../terminal/invocation.ts'
import { keyLines } from '../terminal/print-outcome.ts'
import { columns, paint, print, printJson } from '../terminal/screen.ts'

/** Says what is in a bundle; judges its form and nothing else. */
export async function show(invocation: Invocation): Promise<number> {
  const { values, positionals } = parseFlags({
    args: invocation.args,
    allowPositionals: true,
    options: { json: { type: 'boolean' }, ...SOURCE_FLAGS },
  })
  const [place = '-'] = positionals
  const json = values.json ?? false
  const read = await readBundle(place, values, invocation)
  if (read.kind === 'failed') return printRefusal(place, read, json)
  const bundle = parseBundle(read.bytes)
  if (bundle.kind === 'refused') return printRefusal(read.name, bundle, json)
  if (json) printJson(forPrograms(bundle, read.bytes.length))
  else printBundle(bundle, read.bytes.length, new Date())
  return 0
}

function forPrograms(bundle: Bundle, bytes: number) {
  const { serial, issued, expires, signature, keys, revoked } = bundle
  return {
    ...(serial === undefined ? {} : { serial }),
    ...(issued === undefined ? {} : { issued: renderTime(issued) }),
    ...(expires === undefined ? {} : { expires: renderTime(expires) }),
    ...(signature === undefined ? {} : { signature: judged(signature) }),
    bytes,
    keys: trustedKeys(keys),
    ...(revoked.length === 0 ? {} : { revoked: trustedKeys(revoked) }),
  }
}

function printBundle(bundle: Bundle, bytes: number, now: Date): void {
  const { serial, issued, expires, signature, keys, revoked } = bundle
  const time = (date: Date | undefined) =>
    date === undefined ? 'not said' : `${renderTime(date)}, ${formatDistance(date, now)}`
  const rows = [
    ['serial', serial === undefined ? 'none: an older bundle can be replayed' : String(serial)],
    ['issued', time(issued)],
    ['expires', expires === undefined ? 'never' : time(expires)],
    ['signed', signature === undefined ? 'no' : describeSignature(signature)],
    ['size', `${bytes} bytes`],
  ]
  for (const line of columns(rows)) print(line)
  if (signature !== undefined)
    print('\nWhose signature that is, and whether hosts take it: bundle verify')
  print('')
  for (const line of keyLines(keys)) print(line)
  if (revoked.length > 0) print('\nrevoked:')
  for (const line of keyLines(revoked)) print(line)
  for (const { warning } of keys) {
    if (warning !== undefined) print(`${paint('yellow', 'warning')}: ${warning}`)
  }
}

type Signature = NonNullable<Bundle['signature']>

// Whether it is right for these bytes; whose key it is, only a signers file can say.
function judged({ armor, signed }: Signature) {
  const verdict = verifySshsig(armor, signed)
  return verdict.kind === 'signed'
    ? { fingerprint: verdict.fingerprint }
    : { code: verdict.code, message: verdict.message }
}

function describeSignature(signature: Signature): string {
  const { fingerprint, code } = judged(signature)
  return fingerprint === undefined
    ? `BROKEN: ${code}; every host that asks for a signature refuses it`
    : `by ${fingerprint}`
}
