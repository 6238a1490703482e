import { optional } from '../../core/optional.ts'
import type { StartLimit } from '../../core/restart-budget.ts'
import { type FileSpec, writeFileAtomically } from '../atomic-write.ts'
import type { FileSystem } from '../file-system.ts'
import { lookAt } from '../look-at.ts'

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
      const { recent, total } = read()
      const restarts = [...recent, atMs].slice(-MOST_KEPT)
      const text = JSON.stringify({ version: 1, restarts, total: total + 1, limit })
      const content = Buffer.from(`${text}\n`)
      writeFileAtomically(fs, path, { content, ...access })
    },
  }
}

const NONE: Restarts = { recent: [], total: 0 }

function parseHistory(text: string): Restarts {
  try {
    const { restarts, total, limit } = JSON.parse(text) as Record<string, unknown>
    if (!Array.isArray(restarts)) return NONE
    const recent = restarts.filter(Number.isFinite)
    return {
      recent,
      total: Number.isSafeInteger(total) ? (total as number) : recent.length,
      ...optional('limit', limit as StartLimit | undefined),
    }
  } catch {
    return NONE
  }
}
