import { mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { messageOf } from '../../core/outcome/failures.ts'
import { NO_NOTES, type Notes, parseNotes } from '../../core/report/poll-record.ts'

/** The daemon's own file; losing it costs one unconditional fetch, so damage is no error. */
export interface Notebook {
  read(): Notes
  write(notes: Notes): void
}

const MOST_BYTES = 1024 * 1024

export function openNotebook(path: string): Notebook {
  return {
    read() {
      try {
        // A larger one is none of ours.
        if (statSync(path).size > MOST_BYTES) return NO_NOTES
        return parseNotes(readFileSync(path, 'utf8'))
      } catch {
        return NO_NOTES
      }
    },
    write(notes) {
      mkdirSync(dirname(path), { recursive: true, mode: 0o755 })
      const temporary = `${path}.new`
      writeFileSync(temporary, `${JSON.stringify(notes, null, 2)}\n`, { mode: 0o644 })
      renameSync(temporary, path)
    },
  }
}

/** Writes, or says in a warning why that can't be (a full disk, mostly): nothing depends on it. */
export function tryWrite(notebook: Notebook, notes: Notes): string | undefined {
  try {
    notebook.write(notes)
    return undefined
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error
    return `the notes of the polls can't be written: ${messageOf(error)}`
  }
}
