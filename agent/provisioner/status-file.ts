import type { Outcome } from '../core/outcome.ts'
import { writeFileAtomically } from './atomic-write.ts'
import type { Host } from './host.ts'
import { lookAt } from './look-at.ts'
import { makeOwnFolder } from './own-folder.ts'

/** The last outcome that said something new; everybody on the host may read it. */
export interface Status {
  at: string
  outcome: Outcome
}

/** Writes the outcome for `status`; a cycle that found what the last one left writes nothing. */
export async function publishStatus(host: Host, status: Status): Promise<void> {
  const { runFolder, statusFile } = host.layout
  const last = readStatus(host)?.outcome.outcome
  if (status.outcome.outcome === 'unchanged' && (last === 'unchanged' || last === 'applied')) return
  await makeOwnFolder(host, runFolder)
  const content = Buffer.from(`${JSON.stringify(status, null, 2)}\n`)
  const { mode } = statusFile
  writeFileAtomically(host.fs, host.at(statusFile.path), { content, mode, ...host.owner })
}

/** The last outcome; `undefined` where there was none since boot. */
export function readStatus(host: Host): Status | undefined {
  const file = lookAt(host.fs, host.at(host.layout.statusFile.path))
  if (file.kind !== 'file') return undefined
  try {
    return JSON.parse(file.content.toString()) as Status
  } catch {
    return undefined
  }
}
