import { outrankingPaths } from './arrangement.ts'
import type { ConfigSnapshot } from './config-snapshot.ts'
import { listOf, oneOf, path, shape } from './form.ts'
import type { Layout } from './layout.ts'
import { hasBlock, withoutBlock } from './marked-block.ts'
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
}

export const isWrittenList = listOf(
  shape({ path, is: oneOf('keys', 'config', 'block', 'textfile') }),
)

/** What lies on a host after any `apply`, whether or not that had to write it. */
export function placesOfNow(
  layout: Layout,
  { main, texts }: ConfigSnapshot,
  revokes: boolean,
): Written[] {
  const outranking = outrankingPaths(layout).filter(path => texts.has(path))
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

/** The record after these steps, on a host where `now` lies there besides. */
export function writtenAfter(
  before: readonly Written[],
  steps: readonly Step[],
  now: readonly Written[],
): Written[] {
  const all = new Map([...before, ...now].map(each => [each.path, each]))
  for (const step of steps) {
    if (step.do === 'remove-file') all.delete(step.path)
    if (step.do !== 'write-file') continue
    const { path } = step
    const known = all.get(path)?.is
    if (hasBlock(step.content.toString())) all.set(path, { path, is: 'block' })
    else if (known === 'block') all.delete(path)
    else if (known === undefined) all.set(path, { path, is: 'config' })
  }
  return [...all.values()]
}

/** The configuration as if what lies at former places were gone: the plan takes it away. */
export function withoutFormer(config: ConfigSnapshot, former: readonly Written[]): ConfigSnapshot {
  if (former.length === 0) return config
  const texts = new Map(config.texts)
  const folders = new Map(config.folders)
  for (const { path, is } of former) {
    const text = texts.get(path)
    if (is === 'block' && text !== undefined) texts.set(path, withoutBlock(text))
    if (is !== 'config') continue
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
