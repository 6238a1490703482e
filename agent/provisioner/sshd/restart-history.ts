import { count, listOf, number, oneOf, parseForm, shape } from '../../core/basics/stored-form.ts'
import { optional } from '../../core/basics/when-defined.ts'
import { isStartLimit, type StartLimit } from '../../core/services/restart-budget.ts'
import { type FileSpec, writeFileAtomically } from '../files/atomic-write.ts'
import type { FileSystem } from '../files/file-system.ts'
import { lookAt } from '../files/read-file-state.ts'

/** When sshd was restarted by us. */
export interface Restarts {
  /** Milliseconds since the epoch, oldest first. */
  recent: readonly number[]
  /** How many there ever were. */
  total: number
  /** The limit that the unit had at the last one. */
  limit?: StartLimit
}

/** Kept across processes. */
export interface RestartHistory {
  read(): Restarts
  add(atMs: number, limit: StartLimit | undefined): void
}

/** As many as any sensible start limit counts. */
const MOST_KEPT = 64

/**
 * Keeps the history in a file. One that is missing or damaged counts as empty: the budget is a
 * courtesy to the unit's limit, and a restart that hits the limit is made good, see `systemd.ts`.
 */
export function openRestartHistory(
  fs: FileSystem,
  path: string,
  access: Omit<FileSpec, 'content'>,
): RestartHistory {
  const read = () => {
    const file = lookAt(fs, path)
    return file.kind === 'file' ? parseHistory(file.content.toString()) : NONE
  }
  return {
    read,
    add(atMs, limit) {
      // What can't be replaced by a file: the history is not worth a restart that is needed.
      if (lookAt(fs, path).kind === 'folder') return
      const { recent, total } = read()
      const restarts = [...recent, atMs].slice(-MOST_KEPT)
      const text = JSON.stringify({ version: 1, restarts, total: total + 1, limit })
      const content = Buffer.from(`${text}\n`)
      writeFileAtomically(fs, path, { content, ...access })
    },
  }
}

const NONE: Restarts = { recent: [], total: 0 }

const isHistory = shape(
  { version: oneOf(1), restarts: listOf(number) },
  { total: count, limit: isStartLimit },
)

function parseHistory(json: string): Restarts {
  const history = parseForm(json, isHistory)
  if (history === undefined) return NONE
  const { restarts, total = restarts.length, limit } = history
  return { recent: restarts.slice(-MOST_KEPT), total, ...optional('limit', limit) }
}
