import { counted, parseNotes, type Tally } from '../core/notes.ts'
import type { Outcome } from '../core/outcome.ts'
import { writeFileAtomically } from './atomic-write.ts'
import type { Host } from './host.ts'
import { lookAt } from './look-at.ts'

/** Cycles that were begun on this side; `undefined` where there was none, or the file is damaged. */
export function readApplies({ fs, at, layout }: Host): Tally | undefined {
  const file = lookAt(fs, at(layout.applies.path))
  if (file.kind !== 'file') return undefined
  const { lastSuccess, cycles } = parseNotes(file.content.toString())
  return { ...(lastSuccess === undefined ? {} : { lastSuccess }), cycles }
}

/** Counts one; `gave`: whether the source gave a bundle. Not in an image, which is no host yet. */
export function countApply(host: Host, at: string, outcome: Outcome, gave: boolean): void {
  if (host.tree) return
  const { path, mode } = host.layout.applies
  const tally = counted(readApplies(host) ?? { cycles: {} }, outcome, gave ? at : undefined)
  const content = Buffer.from(`${JSON.stringify({ version: 1, ...tally })}\n`)
  writeFileAtomically(host.fs, host.at(path), { content, mode, ...host.owner })
}
