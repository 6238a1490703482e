import { base64, count, shape } from '../basics/stored-form.ts'
import type { Layout } from '../config/layout.ts'
import type { Observation } from './observation.ts'
import { outrankingPaths } from './place-drop-in.ts'
import { recogniseOwnFiles } from './recognised-files.ts'

/** A file that stood in a place of ours before us. `remove` gives it back, its owner and mode too. */
export interface Found {
  /** Base64: it is kept in the state. */
  content: string
  mode: number
  uid: number
  gid: number
}

export const isFound = shape({ content: base64, mode: count, uid: count, gid: count })

/** By path. */
export type FoundFiles = ReadonlyMap<string, Found>

/**
 * The files in places of ours that are not ours: nothing on record says so, and they do not show it
 * themselves. Pomerium's own guides have people lay files by just these names.
 */
export function findFound(
  { files, written = [], config }: Pick<Observation, 'files' | 'written' | 'config'>,
  layout: Layout,
): FoundFiles {
  const ours = new Set([...written, ...recogniseOwnFiles(config)].map(({ path }) => path))
  const { caFile, revokedKeys, dropIn } = layout
  const places = [caFile.path, revokedKeys.path, dropIn.path, ...outrankingPaths(layout)]
  return new Map(
    places.flatMap(path => {
      const state = files.get(path)
      if (state?.kind !== 'file' || ours.has(path)) return []
      const { content, mode, uid, gid } = state
      return [[path, { content: content.toString('base64'), mode, uid, gid }] as const]
    }),
  )
}
