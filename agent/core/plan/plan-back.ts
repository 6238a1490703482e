import { isRevokedKeys, type Layout } from '../config/layout.ts'
import type { Observation } from '../host/observation.ts'
import type { Step } from '../host/step.ts'
import type { Written } from '../host/written-files.ts'
import { takeBack, whyLeft } from './plan-files.ts'
import { mayGo, whyRevokedKeysStay } from './plan-revoked-keys.ts'

/** What goes back at former places: before the proof, and what sshd may read until its restart. */
export interface Back {
  config: Step[]
  keys: Step[]
  warnings: string[]
}

export function planBack(former: readonly Written[], host: Observation, layout: Layout): Back {
  const stays = ({ path }: Written) => isRevokedKeys(path) && !mayGo(host, layout, path)
  const take = (...kinds: Written['is'][]) =>
    former
      .filter(each => kinds.includes(each.is) && !stays(each))
      .flatMap(each => takeBack(each, host))
  const used = [layout.caFolder.path, layout.dropInFolder.path]
  const isFormer = (folder: string) =>
    !used.some(path => path === folder || path.startsWith(`${folder}/`))
  const folders = (host.madeFolders ?? []).filter(isFormer).toReversed()
  const remove = folders.map((path): Step => {
    return { do: 'remove-folder', path, why: 'made by us, and no longer used' }
  })
  const [config, keys] = [take('block', 'config'), take('keys')]
  return {
    config,
    keys: config.length + keys.length === 0 ? [] : [...keys, ...remove],
    warnings: former.flatMap(each => {
      const list = isRevokedKeys(each.path)
        ? whyRevokedKeysStay(host, layout, each.path)
        : undefined
      const why = list ?? whyLeft(each, host)
      if (why !== undefined) return [why]
      if (each.is !== 'block' || takeBack(each, host).length === 0) return []
      return [`${each.path} had our block: restart the sshd that was started with it`]
    }),
  }
}
