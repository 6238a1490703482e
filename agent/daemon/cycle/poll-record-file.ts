import { mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { messageOf } from '../../core/outcome/failures.ts'
import { NO_POLLS, type PollRecord, parsePollRecord } from '../../core/report/poll-record.ts'

/** The daemon's own file; losing it costs one unconditional fetch, so damage is no error. */
export interface PollRecordFile {
  read(): PollRecord
  write(polls: PollRecord): void
}

const MOST_BYTES = 1024 * 1024

export function openPollRecord(path: string): PollRecordFile {
  return {
    read() {
      try {
        // A larger one is none of ours.
        if (statSync(path).size > MOST_BYTES) return NO_POLLS
        return parsePollRecord(readFileSync(path, 'utf8'))
      } catch {
        return NO_POLLS
      }
    },
    write(polls) {
      mkdirSync(dirname(path), { recursive: true, mode: 0o755 })
      const temporary = `${path}.new`
      writeFileSync(temporary, `${JSON.stringify(polls, null, 2)}\n`, { mode: 0o644 })
      renameSync(temporary, path)
    },
  }
}

/** Writes, or says in a warning why that can't be (a full disk, mostly): nothing depends on it. */
export function tryWrite(pollRecord: PollRecordFile, polls: PollRecord): string | undefined {
  try {
    pollRecord.write(polls)
    return undefined
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error
    return `the notes of the polls can't be written: ${messageOf(error)}`
  }
}
