import { posix } from 'node:path'
import { type ConfigSnapshot, scanWith } from './config-snapshot.ts'
import type { Layout } from './layout.ts'
import { blockLines, withBlock, withoutBlock } from './marked-block.ts'
import { type Directive, isUnconditional, type Place } from './sshd-config/directive.ts'
import { settings } from './sshd-config/who-wins.ts'

/** Files of sshd's configuration as they shall be; `undefined`: as if we had never written it. */
export type Arrangement = ReadonlyMap<string, string | undefined>

// '-' sorts before every digit: the second comes before another's `00-…`.
const OUTRANKING_NAMES = ['00-pomerium-ca.conf', '0-pomerium-ca.conf']

/** The drop-ins that `adopt` may have put before those of another owner. */
export function outrankingPaths(layout: Layout): string[] {
  return OUTRANKING_NAMES.map(name => posix.join(layout.dropInFolder.path, name))
}

/**
 * The least change by which sshd comes to use `text`: the drop-in; with it, where another owner is
 * adopted, a drop-in that sorts first; or an Include at the top of sshd_config, where no other
 * reaches the drop-in. Each is tried on the scanner, which reads as sshd does; `undefined` where
 * none wins. What an earlier arrangement put elsewhere is taken away. `scoped`: `text` is a `Match`;
 * `revokes`: it names a list of revoked keys, which must win too.
 */
export function arrange(
  snapshot: ConfigSnapshot,
  layout: Layout,
  text: string,
  {
    outrank,
    includes,
    ...wish
  }: { outrank: boolean; includes: boolean; scoped: boolean; revokes: boolean },
): Arrangement | undefined {
  const { main } = snapshot
  const dropIn = layout.dropIn.path
  const mainText = snapshot.texts.get(main)
  const bare = mainText === undefined ? undefined : withoutBlock(mainText)
  const outranking = outrankingPaths(layout)
  const nothingElse = new Map<string, string | undefined>([
    [dropIn, text],
    [main, bare],
    ...outranking.map(path => [path, undefined] as const),
  ])
  // A tree without sshd: there is nothing to read our drop-in yet, and nothing that could win over it.
  if (bare === undefined) return nothingElse
  const block = includes ? `Include ${dropIn}\n` : text
  const candidates: Arrangement[] = [
    nothingElse,
    ...(outrank ? outranking.map(path => new Map([...nothingElse, [path, text]])) : []),
    new Map([...nothingElse, [main, withBlock(bare, block)]]),
  ]
  return candidates.find(candidate => wins(snapshot, candidate, layout, wish))
}

/** Whether a line of sshd's configuration stands in a place of ours: a drop-in, or the block. */
export function isOwnLine(
  { main, texts }: ConfigSnapshot,
  layout: Layout,
): (place: Place) => boolean {
  const files = [layout.dropIn.path, ...outrankingPaths(layout)]
  const block = blockLines(texts.get(main) ?? '')
  return ({ file, line }) => files.includes(file) || (file === main && line <= block)
}

function wins(
  snapshot: ConfigSnapshot,
  arrangement: Arrangement,
  layout: Layout,
  { scoped, revokes }: { scoped: boolean; revokes: boolean },
): boolean {
  const directives = scanWith(snapshot, arrangement)
  const texts = new Map([[snapshot.main, arrangement.get(snapshot.main) ?? '']])
  const isOwn = isOwnLine({ ...snapshot, texts }, layout)
  const list = settings(directives, 'revokedkeys').find(({ matches }) => matches.length === 0)
  const revoked = list !== undefined && (isOwn(list) || list.args[0] === layout.revokedKeys.path)
  if (revokes && !revoked) return false
  // What a Match sets wins over what none does, wherever they stand.
  const canWin = (line: Directive) =>
    scoped ? line.matches.length > 0 && isUnconditional(line) : isUnconditional(line)
  const first = settings(directives, 'trustedusercakeys').find(line => isOwn(line) || canWin(line))
  if (first === undefined) return false
  if (!isOwn(first)) return !scoped && first.args[0] === layout.caFile.path
  return first.via === undefined || first.via.include.matches.length === 0
}
