import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** What the daemon notes of its polls: for the next poll, and for `status`, which anybody may read. */
export interface Notes {
  version: 1
  /** The last look at the source, and how it ended. */
  lastPoll?: { at: string; result: string; message?: string }
  /** The last time the source gave a bundle, new or known. */
  lastSuccess?: string
  /** Of the last bundle that the provisioner took. */
  etag?: string
  /** When that ETag came; a bundle is asked for whole at least once an hour. */
  etagAt?: string
  /** The source's clock less ours, in seconds, to the second. */
  clockSkewSeconds?: number
  /** How cycles ended, since the file was begun. */
  cycles: Record<string, number>
}

const NOTHING: Notes = { version: 1, cycles: {} }

/** The daemon's own file; losing it costs one unconditional fetch, so damage is no error. */
export interface Notebook {
  read(): Notes
  write(notes: Notes): void
}

export function openNotebook(folder: string): Notebook {
  const path = join(folder, 'polls.json')
  return {
    read() {
      try {
        const notes = JSON.parse(readFileSync(path, 'utf8')) as Notes
        return notes.version === 1 && typeof notes.cycles === 'object' ? notes : NOTHING
      } catch {
        return NOTHING
      }
    },
    write(notes) {
      mkdirSync(folder, { recursive: true, mode: 0o755 })
      const temporary = `${path}.new`
      writeFileSync(temporary, `${JSON.stringify(notes, null, 2)}\n`, { mode: 0o644 })
      renameSync(temporary, path)
    },
  }
}
