import {
  closeSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { type Attempt, DIGEST_LENGTH } from '../../http/webhook-attempt.ts'

/** What a replay file held. */
export interface ReplayRecord {
  attempts: Attempt[]
  /** Nothing signed up to then is to be believed any more, in seconds since the epoch. */
  floor: number
  /** Lines that say nothing any more, or nothing at all, are to be cleared away. */
  lines: number
  damaged: boolean
}

const HEADER = 'pomerium-host-agent webhooks 1'
const LINE = new RegExp(`^(\\d{1,12}) ([\\w-]{${DIGEST_LENGTH}}|floor)$`)

/** More than any file of ours holds: twice the attempts that are remembered, and then some. */
const MOST_BYTES = 8 * 1024 * 1024
const DAMAGED: ReplayRecord = {
  attempts: [],
  floor: 0,
  lines: Number.POSITIVE_INFINITY,
  damaged: true,
}

/** Reads a replay file; one that is not there is an empty one. Other errors are the file system's. */
export function readReplayFile(path: string): ReplayRecord {
  let text: string
  try {
    const stat = statSync(path)
    if (!stat.isFile() || stat.size > MOST_BYTES) return DAMAGED
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      return { attempts: [], floor: 0, lines: 0, damaged: false }
    }
    throw error
  }
  const [header, ...lines] = text.split('\n')
  // What stands after the last newline was being written when the process was killed: its webhook
  // was never acted upon, and a whole file has nothing there.
  const torn = lines.pop()
  const record: ReplayRecord = {
    attempts: [],
    floor: 0,
    lines: lines.length,
    damaged: header !== HEADER || torn === undefined,
  }
  for (const line of lines) {
    const [, seconds, digest] = LINE.exec(line) ?? []
    if (seconds === undefined || digest === undefined) record.damaged = true
    else if (digest === 'floor') record.floor = Math.max(record.floor, Number(seconds))
    else record.attempts.push({ digest, signedAt: Number(seconds) })
  }
  return torn === '' ? record : { ...record, lines: Number.POSITIVE_INFINITY }
}

/** A replay file that is open to be added to. */
export interface ReplayAppender {
  append(attempt: Attempt): void
  close(): void
}

/** Puts a whole new file at `path` and leaves it open; killed in between, the old one stays. */
export function rewriteReplayFile(
  path: string,
  attempts: Iterable<Attempt>,
  floor: number,
): ReplayAppender {
  mkdirSync(dirname(path), { recursive: true, mode: 0o755 })
  const temporary = `${path}.new`
  const lines = [HEADER, ...(floor > 0 ? [`${floor} floor`] : []), ...[...attempts].map(lineOf)]
  writeFileSync(temporary, `${lines.join('\n')}\n`, { mode: 0o600 })
  // The place is ours alone, and a file can't take that of a folder.
  if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory()) {
    rmSync(path, { recursive: true })
  }
  renameSync(temporary, path)
  return appendToReplayFile(path)
}

export function appendToReplayFile(path: string): ReplayAppender {
  const fd = openSync(path, 'a', 0o600)
  return {
    append(attempt) {
      const line = `${lineOf(attempt)}\n`
      // One write for one line; a short one is a full disk.
      if (writeSync(fd, line) !== line.length) throw new Error(`${path} can't be written whole`)
    },
    close: () => closeSync(fd),
  }
}

function lineOf({ digest, signedAt }: Attempt): string {
  return `${signedAt} ${digest}`
}
