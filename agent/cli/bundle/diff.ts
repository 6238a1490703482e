import { optional } from '../../core/basics/when-defined.ts'
import { type Bundle, parseBundle } from '../../core/bundle/bundle.ts'
import { contentDigest } from '../../core/bundle/content-digest.ts'
import { EXIT } from '../../core/outcome/exit-codes.ts'
import { trustedKeys } from '../../core/outcome/outcome.ts'
import { type Comparison, diffBundles } from '../../core/trust/diff-bundles.ts'
import { type Accepted, acceptBundle } from '../../core/trust/trust.ts'
import { readBundle, SOURCE_FLAGS } from '../operator/read-bundle.ts'
import { printRefusal } from '../operator/refusal.ts'
import { parseFlags } from '../terminal/flags.ts'
import { type Invocation, UsageError } from '../terminal/invocation.ts'
import { keyLines, messageLines } from '../terminal/print-outcome.ts'
import { columns, paint, print, printJson } from '../terminal/screen.ts'

/**
 * What a second bundle changes, and whether a host that holds the first would take it. Signatures
 * are told, not judged: that is for `bundle verify`.
 */
export async function diff(invocation: Invocation): Promise<number> {
  const { values, positionals } = parseFlags({
    args: invocation.args,
    allowPositionals: true,
    options: { json: { type: 'boolean' }, ...SOURCE_FLAGS },
  })
  const json = values.json ?? false
  if (positionals.length !== 2) throw new UsageError('bundle diff wants two bundles: OLD NEW')
  const bundles: { bundle: Bundle; bytes: Uint8Array }[] = []
  for (const place of positionals) {
    const read = await readBundle(place, values, invocation)
    if (read.kind === 'failed') return printRefusal(place, read, json)
    const bundle = parseBundle(read.bytes)
    if (bundle.kind === 'refused') return printRefusal(read.name, bundle, json)
    bundles.push({ bundle, bytes: read.bytes })
  }
  const [old, next] = bundles as [(typeof bundles)[0], (typeof bundles)[0]]
  const comparison = diffBundles(old.bundle, next.bundle)
  const held = {
    digest: contentDigest(old.bytes, old.bundle),
    ...optional('serial', old.bundle.serial),
  }
  const taken = acceptBundle(next.bytes, held, { signers: undefined }, new Date())
  if (json) printJson(forPrograms(comparison, taken))
  else printComparison(comparison, taken)
  if (taken.kind === 'refused') return EXIT.bundleRefused
  return comparison.unchanged ? EXIT.converged : EXIT.planHasChanges
}

function forPrograms({ added, removed, kept, revoked, headers }: Comparison, taken: Accepted) {
  return {
    added: trustedKeys(added),
    removed: trustedKeys(removed),
    kept: trustedKeys(kept),
    revoked: {
      added: trustedKeys(revoked.added),
      removed: trustedKeys(revoked.removed),
      kept: trustedKeys(revoked.kept),
    },
    headers,
    taken: taken.kind === 'accepted',
    ...(taken.kind === 'refused' ? { code: taken.code, message: taken.message } : {}),
  }
}

function printComparison(comparison: Comparison, taken: Accepted): void {
  const { headers, revoked, unchanged } = comparison
  if (unchanged) print('the same keys, headers and signer')
  for (const line of columns(headers.map(({ name, old, new: now }) => [name, `${old} → ${now}`]))) {
    print(line)
  }
  if (headers.length > 0) print('')
  printKeys(comparison, unchanged)
  if (Object.values(revoked).flat().length > 0) {
    print('\nrevoked:')
    printKeys(revoked, unchanged)
  }
  if (taken.kind === 'accepted') return
  print('\nA host that holds the first would not take the second:')
  for (const line of messageLines({ ...taken, outcome: 'refused' })) print(line)
}

function printKeys(
  { added, removed, kept }: Pick<Comparison, 'added' | 'removed' | 'kept'>,
  unchanged: boolean,
): void {
  // Lined up together, coloured after: a colour has no width.
  const lines = keyLines([...added, ...removed, ...kept])
  for (const [index, line] of lines.entries()) {
    if (index < added.length) print(paint('green', `+ ${line}`))
    else if (index < added.length + removed.length) print(paint('red', `- ${line}`))
    else if (!unchanged) print(`  ${line}`)
  }
}
