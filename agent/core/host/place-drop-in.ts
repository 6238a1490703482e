import { posix } from 'node:path'
import type { Layout } from '../config/layout.ts'
import { type ConfigSnapshot, scanWith } from '../sshd-config/config-snapshot.ts'
import { type Directive, isUnconditional, type Place } from '../sshd-config/directive.ts'
import { settings } from '../sshd-config/effective-line.ts'
import type { FoundFiles } from './found-files.ts'
import { blockLines, withBlock, withoutBlock } from './marked-block.ts'

/** Files of sshd's configuration as they shall be; `undefined`: as if we had never written it. */
export type Arrangement = ReadonlyMap<string, string | undefined>

// '-' sorts before every digit: the second comes before another's `00-…`.
const OUTRANKING_NAMES = ['00-pomerium-ca.conf', '0-pomerium-ca.conf']

/** The drop-ins that may have been put before those of others; not what was `found` by such a name. */
export function outrankingPaths(layout: Layout, found?: FoundFiles): string[] {
  const paths = OUTRANKING_NAMES.map(name => posix.join(layout.dropInFolder.path, name))
  return paths.filter(path => !found?.has(path))
}

/** The drop-ins of ours; one that was `found` by such a name is not. */
export function ownDropIns(layout: Layout, found?: FoundFiles): string[] {
  const isOurs = (path: string) => !found?.has(path)
  return [layout.dropIn.path, ...outrankingPaths(layout)].filter(isOurs)
}

/** How a text is to come before what others have set. */
export interface Arranging {
  /** By a drop-in that sorts first, where it must. */
  outrank: boolean
  /** Whether this sshd knows `Include`. */
  includes: boolean
  /** The text is a `Match`. */
  scoped: boolean
  /** What others set at global scope is to count for nobody. */
  shut: boolean
  /** The text names a list of revoked keys, which must win too. */
  revokes: boolean
  found: FoundFiles
}

/**
 * The least change by which sshd comes to use `text`: the drop-in; with it, where others are to be
 * outranked, a drop-in that sorts first; or an Include at the top of sshd_config, where no other
 * reaches the drop-in. Each is tried on the scanner, which reads as sshd does; `undefined` where
 * none wins. What an earlier arrangement put elsewhere is taken away.
 */
export function arrange(
  snapshot: ConfigSnapshot,
  layout: Layout,
  text: string,
  arranging: Arranging,
): Arrangement | undefined {
  const { outrank, includes, found } = arranging
  const { main } = snapshot
  const dropIn = layout.dropIn.path
  const mainText = snapshot.texts.get(main)
  const bare = mainText === undefined ? undefined : withoutBlock(mainText)
  const outranking = outrankingPaths(layout, found)
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
  return candidates.find(candidate => wins(snapshot, candidate, layout, arranging))
}

/** Whether a line of sshd's configuration is ours: in one of these drop-ins, or in the block. */
export function isOwnLine(
  { main, texts }: Pick<ConfigSnapshot, 'main' | 'texts'>,
  files: readonly string[],
): (place: Place) => boolean {
  const block = blockLines(texts.get(main) ?? '')
  return ({ file, line }) => files.includes(file) || (file === main && line <= block)
}

function wins(
  snapshot: ConfigSnapshot,
  arrangement: Arrangement,
  layout: Layout,
  { scoped, shut, revokes }: Arranging,
): boolean {
  const directives = scanWith(snapshot, arrangement)
  const { main } = snapshot
  const texts = new Map([[main, arrangement.get(main) ?? '']])
  const files = [...arrangement.keys()].filter(path => path !== main)
  const isOwn = isOwnLine({ main, texts }, files)
  const list = settings(directives, 'revokedkeys').find(({ matches }) => matches.length === 0)
  const revoked = list !== undefined && (isOwn(list) || list.args[0] === layout.revokedKeys.path)
  if (revokes && !revoked) return false
  // What a Match sets wins over what none does, wherever they stand.
  const canWin = (line: Directive) =>
    scoped ? line.matches.length > 0 && isUnconditional(line) : isUnconditional(line)
  const lines = settings(directives, 'trustedusercakeys')
  const first = lines.find(line => isOwn(line) || canWin(line))
  const global = lines.find(({ matches }) => matches.length === 0)
  if (first === undefined || (shut && !(global && isOwn(global)))) return false
  if (!isOwn(first)) return !scoped && first.args[0] === layout.caFile.path
  return first.via === undefined || first.via.include.matches.length === 0
}
