import { posix } from 'node:path'
import { type ConfigSnapshot, scanWith } from './config-snapshot.ts'
import type { Layout } from './layout.ts'
import { blockLines, withBlock, withoutBlock } from './marked-block.ts'
import { type Directive, isUnconditional } from './sshd-config/directive.ts'
import { reachOf } from './sshd-config/reach.ts'
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
 * none wins. What an earlier arrangement put elsewhere is taken away.
 */
export function arrange(
  snapshot: ConfigSnapshot,
  layout: Layout,
  text: string,
  { outrank, includes }: { outrank: boolean; includes: boolean },
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
  return candidates.find(candidate => wins(snapshot, candidate, dropIn, outranking))
}

function wins(
  snapshot: ConfigSnapshot,
  arrangement: Arrangement,
  dropIn: string,
  outranking: readonly string[],
): boolean {
  const directives = scanWith(snapshot, arrangement)
  const ownLines = blockLines(arrangement.get(snapshot.main) ?? '')
  const isOurs = ({ file, line }: Directive) =>
    file === dropIn || outranking.includes(file) || (file === snapshot.main && line <= ownLines)
  const first = settings(directives, 'trustedusercakeys').find(
    directive => isOurs(directive) || isUnconditional(directive),
  )
  if (first === undefined || !isOurs(first)) return false
  return first.via === undefined || reachOf(first.file, directives).kind === 'reached'
}
