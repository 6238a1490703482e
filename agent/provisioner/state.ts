import { parseBundle } from '../core/bundle.ts'
import { contentDigest } from '../core/content-digest.ts'
import type { Repair } from '../core/repairs.ts'
import type { Held } from '../core/trust.ts'
import { writeFileAtomically } from './atomic-write.ts'
import type { Host } from './host.ts'
import { lookAt } from './look-at.ts'

/** The bundle in force, whole: drift is repaired from it, by the same decisions as when it came. */
export interface HeldBundle extends Held {
  /** The bytes as they came, base64. */
  bundle: string
  /** Where they came from: a URL without query. */
  source: string
  /** When these bytes were taken first. */
  acceptedAt: string
  /** By fingerprint, since when each key has been trusted without a break. */
  since?: Readonly<Record<string, string>>
}

/** What the provisioner remembers between cycles. */
export interface State {
  version: 1
  held?: HeldBundle
  /** Fingerprints of all keys that ever came by a bundle; see `publishedOn`. */
  published?: string[]
  /** By fingerprint, the file of another owner that a key of our CA file came from. */
  adopted?: Readonly<Record<string, string>>
  /** Folders that were not there before us; `remove` takes them away again. */
  madeFolders: string[]
  /** Files put right lately; see `contestedPath`. */
  repairs: Repair[]
  /** How many files were ever put right; `repairs` forgets. */
  repaired?: number
  /** A restart for a rotation was put off, and not made yet. */
  restartDue: boolean
}

export const FRESH_STATE: State = { version: 1, madeFolders: [], repairs: [], restartDue: false }

/** The state, or a fresh one; a damaged file is an error that a person must see, not a fresh start. */
export function readState(host: Host): State {
  const { path } = host.layout.stateFile
  const file = lookAt(host.fs, host.at(path))
  if (file.kind === 'missing') return FRESH_STATE
  if (file.kind !== 'file') throw new Error(`${path} is not a file that can be read`)
  try {
    const state = JSON.parse(file.content.toString()) as State
    if (state.version === 1 && Array.isArray(state.madeFolders) && Array.isArray(state.repairs)) {
      return digested(state)
    }
  } catch {}
  throw new Error(`${path} is damaged; move it away, and the next apply starts afresh`)
}

// From the bytes, whatever stands beside them: older versions had the armor in it too.
function digested(state: State): State {
  const { held } = state
  if (held === undefined) return state
  return { ...state, held: { ...held, digest: contentDigest(Buffer.from(held.bundle, 'base64')) } }
}

/** For a report, which is not where a damaged state is told: that is the turn that needs it. */
export function stateIfWhole(host: Host): State | undefined {
  try {
    return readState(host)
  } catch {
    return undefined
  }
}

/** The memory of published keys; a state from before there was one has those of its last bundle. */
export function publishedOn({ published, held }: State): readonly string[] {
  if (published !== undefined) return published
  const bundle = parseBundle(Buffer.from(held?.bundle ?? '', 'base64'))
  const keys = bundle.kind === 'bundle' ? bundle.keys : []
  const named = keys.map(({ fingerprint }) => fingerprint)
  return [...new Set([...Object.keys(held?.since ?? {}), ...named])]
}

/** Written only where it says something new: a quiet cycle touches nothing. */
export function writeState(host: Host, state: State, before: State): void {
  if (JSON.stringify(state) === JSON.stringify(before)) return
  const { path, mode } = host.layout.stateFile
  const content = Buffer.from(`${JSON.stringify(state, null, 2)}\n`)
  writeFileAtomically(host.fs, host.at(path), { content, mode, ...host.owner })
}
