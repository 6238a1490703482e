import type { Held } from '../core/trust.ts'
import { writeFileAtomically } from './atomic-write.ts'
import type { Host } from './host.ts'
import { lookAt } from './observe.ts'

/** What the provisioner remembers between cycles. */
export interface State {
  version: 1
  /** The bundle in force: its serial, digest, and the keys as written to the host. */
  held?: Held & { keys: string; source: string; acceptedAt: string }
  /** Folders that were not there before us; `remove` takes them away again. */
  madeFolders: string[]
}

/** The state, or a fresh one; a damaged file is an error that a person must see, not a fresh start. */
export function readState(host: Host): State {
  const { path } = host.layout.stateFile
  const file = lookAt(host.fs, host.at(path))
  if (file.kind === 'missing') return { version: 1, madeFolders: [] }
  if (file.kind !== 'file') throw new Error(`${path} is not a file that can be read`)
  try {
    const state = JSON.parse(file.content.toString()) as State
    if (state.version === 1 && Array.isArray(state.madeFolders)) return state
  } catch {}
  throw new Error(`${path} is damaged; move it away, and the next apply starts afresh`)
}

export function writeState(host: Host, state: State): void {
  const { path, mode } = host.layout.stateFile
  const content = Buffer.from(`${JSON.stringify(state, null, 2)}\n`)
  writeFileAtomically(host.fs, host.at(path), { content, mode, ...host.owner })
}
