import { type Bundle, parseBundle } from '../../core/bundle.ts'
import { renderTime } from '../../core/compose-bundle.ts'
import { trustedKeys } from '../../core/outcome.ts'
import { parseFlags } from '../flags.ts'
import type { Invocation } from '../invocation.ts'
import { keyLines } from '../print-outcome.ts'
import { columns, print, printJson } from '../screen.ts'
import { readBundle, SOURCE_FLAGS } from './read-bundle.ts'
import { printRefusal } from './refusal.ts'
import { fromNow } from './times.ts'

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

function forPrograms({ serial, issued, expires, signature, keys }: Bundle, bytes: number) {
  return {
    ...(serial === undefined ? {} : { serial }),
    ...(issued === undefined ? {} : { issued: renderTime(issued) }),
    ...(expires === undefined ? {} : { expires: renderTime(expires) }),
    signed: signature !== undefined,
    bytes,
    keys: trustedKeys(keys),
  }
}

function printBundle(bundle: Bundle, bytes: number, now: Date): void {
  const { serial, issued, expires, signature, keys } = bundle
  const time = (date: Date | undefined) =>
    date === undefined ? 'not said' : `${renderTime(date)}, ${fromNow(date, now)}`
  const rows = [
    ['serial', serial === undefined ? 'none: an older bundle can be replayed' : String(serial)],
    ['issued', time(issued)],
    ['expires', expires === undefined ? 'never' : time(expires)],
    ['signed', signature === undefined ? 'no' : 'yes, not verified here; see bundle verify'],
    ['size', `${bytes} bytes`],
  ]
  for (const line of columns(rows)) print(line)
  print('')
  for (const line of keyLines(keys)) print(line)
  for (const { warning } of keys) if (warning !== undefined) print(`warning: ${warning}`)
}
