import { listOf, oneOf, parseForm, shape, text, time } from '../../core/basics/stored-form.ts'
import { refuseHost } from '../../core/outcome/host-refusal.ts'
import type { Outcome } from '../../core/outcome/outcome.ts'
import { hostRefused } from '../../core/outcome/outcomes.ts'
import { removeFile, writeFileAtomically } from '../files/atomic-write.ts'
import { lookAt } from '../files/read-file-state.ts'
import type { Host } from '../host/host.ts'
import { trustOnHost } from './keys-on-host.ts'

/**
 * The note that `remove` leaves: whatever wakes us, nothing is put back until `apply` or `configure`.
 * What init started at boot, and what was up, is to be so again then.
 */
export interface StoodDown extends Services {
  version: 1
  at: string
}

/** Services of ours, or units that wake them, by init's names. */
export interface Services {
  enabled: string[]
  started: string[]
}

export const NO_SERVICES: Services = { enabled: [], started: [] }

const names = listOf(text)
const isStoodDown = shape({ version: oneOf(1), at: time, enabled: names, started: names })

type Place = Pick<Host, 'fs' | 'at' | 'layout'>

/** The note, `'unreadable'` where it is damaged: it stands all the same. */
export function readStoodDown({ fs, at, layout }: Place): StoodDown | 'unreadable' | undefined {
  const file = lookAt(fs, at(layout.stoodDown.path))
  if (file.kind === 'missing') return undefined
  const note = file.kind === 'file' ? parseForm(file.content.toString(), isStoodDown) : undefined
  return (note as StoodDown | undefined) ?? 'unreadable'
}

/** Keeps what an earlier note says: a second `remove` finds nothing up any more. */
export function writeStoodDown(host: Host, at: string, services: Services): void {
  const before = readStoodDown(host)
  const known = typeof before === 'object' ? before : NO_SERVICES
  const both = (list: keyof Services) => [...new Set([...known[list], ...services[list]])]
  const note: StoodDown = { version: 1, at, enabled: both('enabled'), started: both('started') }
  const { path, mode } = host.layout.stoodDown
  const content = Buffer.from(`${JSON.stringify(note, null, 2)}\n`)
  writeFileAtomically(host.fs, host.at(path), { content, mode, ...host.owner })
}

export function clearStoodDown({ fs, at, layout }: Place): void {
  removeFile(fs, at(layout.stoodDown.path))
}

/** The answer to whoever wants something put on a host that stands down. */
export function refuseStoodDown(host: Host): Outcome | undefined {
  if (readStoodDown(host) === undefined) return undefined
  const message = 'removed; the agent stands down until apply or configure'
  return hostRefused(refuseHost('stood-down', message), trustOnHost(host))
}
