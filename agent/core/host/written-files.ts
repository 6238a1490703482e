import { listOf, oneOf, path, shape } from '../basics/stored-form.ts'
import { optional } from '../basics/when-defined.ts'
import type { Layout } from '../config/layout.ts'
import { bytesOf } from '../sshd-config/bytes.ts'
import type { ConfigSnapshot } from '../sshd-config/config-snapshot.ts'
import { type Found, type FoundFiles, isFound } from './found-files.ts'
import { hasBlock, withoutBlock } from './marked-block.ts'
import { outrankingPaths } from './place-drop-in.ts'
import type { Step } from './step.ts'

/**
 * A file that was written and not given back yet. A setting that has changed meanwhile, or another
 * main file of sshd, must not hide it from `remove`, nor from the `apply` that is to give it back.
 */
export interface Written {
  path: string
  /**
   * `keys`: named by sshd's configuration, so that it goes after the restart; `config`: part of that
   * configuration; `block`: somebody else's file with our block in it; `textfile`: Prometheus'.
   */
  is: 'keys' | 'config' | 'block' | 'textfile'
  /** What stood there before; it comes back in the place of ours. */
  found?: Found
}

export const isWrittenList = listOf(
  shape({ path, is: oneOf('keys', 'config', 'block', 'textfile') }, { found: isFound }),
)

/** What lies on a host after any `apply`, whether or not that had to write it. */
export function placesOfNow(
  layout: Layout,
  { main, texts }: ConfigSnapshot,
  found: FoundFiles,
  revokes: boolean,
): Written[] {
  const outranking = outrankingPaths(layout, found).filter(path => texts.has(path))
  return [
    { path: layout.caFile.path, is: 'keys' },
    ...(revokes ? [{ path: layout.revokedKeys.path, is: 'keys' as const }] : []),
    ...[layout.dropIn.path, ...outranking].map(path => ({ path, is: 'config' as const })),
    ...(hasBlock(texts.get(main) ?? '') ? [{ path: main, is: 'block' as const }] : []),
  ]
}

/** Where things of ours belong by the settings of now. */
export function isPlaceOfNow({ path, is }: Written, layout: Layout, main: string): boolean {
  switch (is) {
    case 'keys':
      return [layout.caFile.path, layout.revokedKeys.path].includes(path)
    case 'config':
      return path === layout.dropIn.path || outrankingPaths(layout).includes(path)
    case 'block':
      return path === main
    case 'textfile':
      return true
  }
}

/** Where something was written by settings that are no longer those of now. */
export function formerPlaces(
  { written = [], config }: { written?: readonly Written[]; config: ConfigSnapshot },
  layout: Layout,
): Written[] {
  // What has become a place of ours in another role is written anew.
  const { caFile, revokedKeys, dropIn } = layout
  const now = [caFile.path, revokedKeys.path, dropIn.path, ...outrankingPaths(layout), config.main]
  return written.filter(
    each => !isPlaceOfNow(each, layout, config.main) && !now.includes(each.path),
  )
}

/** What stood at a place before it was written to first. */
export function foundBefore(written: readonly Written[], path: string): Found | undefined {
  return written.find(each => each.path === path)?.found
}

/** The record after these steps, on a host where `now` lies there besides, in the place of what was `found`. */
export function writtenAfter(
  before: readonly Written[],
  steps: readonly Step[],
  now: readonly Written[],
  found: FoundFiles,
): Written[] {
  const isKnown = new Set(before.map(({ path }) => path))
  const withFound = now.map(each => {
    const stood = isKnown.has(each.path) ? foundBefore(before, each.path) : found.get(each.path)
    return { ...each, ...optional('found', stood) }
  })
  const all = new Map<string, Written>([...before, ...withFound].map(each => [each.path, each]))
  for (const step of steps) {
    if (step.do === 'remove-file') all.delete(step.path)
    if (step.do !== 'write-file') continue
    const { path } = step
    const known = all.get(path)?.is
    // At a former place, what was found there.
    if (step.found && now.every(each => each.path !== path)) all.delete(path)
    else if (hasBlock(step.content.toString())) all.set(path, { path, is: 'block' })
    else if (known === 'block') all.delete(path)
    else if (known === undefined) all.set(path, { path, is: 'config' })
  }
  return [...all.values()]
}

/** The configuration as if what lies at former places were given back: the plan does it. */
export function withoutFormer(config: ConfigSnapshot, former: readonly Written[]): ConfigSnapshot {
  if (former.length === 0) return config
  const texts = new Map(config.texts)
  const folders = new Map(config.folders)
  for (const { path, is, found } of former) {
    const text = texts.get(path)
    if (is === 'block' && text !== undefined) texts.set(path, withoutBlock(text))
    if (is !== 'config') continue
    if (found !== undefined) {
      if (text !== undefined) texts.set(path, bytesOf(Buffer.from(found.content, 'base64')))
      continue
    }
    texts.delete(path)
    const at = path.lastIndexOf('/')
    const names = folders.get(path.slice(0, at))
    if (names !== undefined) {
      folders.set(
        path.slice(0, at),
        names.filter(name => name !== path.slice(at + 1)),
      )
    }
  }
  return { ...config, texts, folders }
}
