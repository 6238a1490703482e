import {
  base64,
  count,
  flag,
  listOf,
  mapOf,
  oneOf,
  parseForm,
  path,
  shape,
  text,
  time,
} from '../../core/basics/stored-form.ts'
import { parseBundle } from '../../core/bundle/bundle.ts'
import { contentDigest } from '../../core/bundle/content-digest.ts'
import { isWrittenList, type Written } from '../../core/host/written-files.ts'
import { type HostRefused, refuseHost } from '../../core/outcome/host-refusal.ts'
import type { Repair } from '../../core/outcome/repairs.ts'
import { isSigner } from '../../core/trust/signer.ts'
import type { Held } from '../../core/trust/trust.ts'
import { writeFileAtomically } from '../files/atomic-write.ts'
import { errorCode } from '../files/file-system.ts'
import { lookAt } from '../files/read-file-state.ts'
import type { Host } from '../host/host.ts'
import type { FoundSshd } from '../sshd/ssh-service.ts'

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
  /** Files that were written and are not given back yet, whatever the settings say now. */
  written?: Written[]
  /** The sshd that was configured; while it is stopped no other one takes its place. */
  sshd?: FoundSshd
  /** Files put right lately; see `contestedPath`. */
  repairs: Repair[]
  /** How many files were ever put right; `repairs` forgets. */
  repaired?: number
  /** A restart for a rotation was put off, and not made yet. */
  restartDue: boolean
}

export const FRESH_STATE: State = { version: 1, madeFolders: [], repairs: [], restartDue: false }

// Every field of it, here and nowhere else.
const isState = shape(
  {
    version: oneOf(1),
    madeFolders: listOf(path),
    repairs: listOf(shape({ path, at: time })),
    restartDue: flag,
  },
  {
    held: shape(
      { digest: text, bundle: base64, source: text, acceptedAt: time },
      { serial: count, since: mapOf(time), signer: isSigner },
    ),
    published: listOf(text),
    adopted: mapOf(text),
    written: isWrittenList,
    sshd: shape({ options: listOf(text) }, { unit: text, restartCommand: listOf(text) }),
    repaired: count,
  },
)

/**
 * The state; a fresh one where there is none. A damaged one refuses the host: it held the serial that
 * a rollback is measured against, and what is to be given back.
 */
export function readState(host: Pick<Host, 'fs' | 'at' | 'layout'>): State | HostRefused {
  const { path } = host.layout.stateFile
  const file = lookAt(host.fs, host.at(path))
  if (file.kind === 'missing') return FRESH_STATE
  if (file.kind !== 'file') return damaged(path, file.kind === 'other' ? file.what : file.kind)
  const state = parseForm(file.content.toString(), isState) as State | undefined
  return state === undefined ? damaged(path) : digested(state)
}

export function isDamaged(state: State | HostRefused): state is HostRefused {
  return 'code' in state
}

/**
 * The state, or what is left to go by where it is damaged or can't be read: for reports, which come after
 * what was done and must not hide it.
 */
export function stateOrFresh(host: Pick<Host, 'fs' | 'at' | 'layout'>): State {
  try {
    const state = readState(host)
    return isDamaged(state) ? FRESH_STATE : state
  } catch (error) {
    if (errorCode(error) === undefined) throw error
    return FRESH_STATE
  }
}

function damaged(path: string, what?: string): HostRefused {
  const how = what === undefined ? 'is damaged' : `is damaged (a ${what})`
  return refuseHost(
    'state-damaged',
    `${path} ${how}; it held the serial and what remove gives back: restore it from a backup; or start afresh, as a host that knows no serial: sudo mv ${path} ${path}.damaged && sudo pomerium-host-agent apply`,
  )
}

// From the bytes, whatever stands beside them: older versions had the armor in it too.
function digested(state: State): State {
  const { held } = state
  if (held === undefined) return state
  return { ...state, held: { ...held, digest: contentDigest(Buffer.from(held.bundle, 'base64')) } }
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
