import { type FileSpec, writeFileAtomically } from '../atomic-write.ts'
import type { FileSystem } from '../file-system.ts'
import { lookAt } from '../look-at.ts'

/** When sshd was restarted by us, kept across processes. */
export interface RestartHistory {
  /** Milliseconds since the epoch, oldest first. */
  read(): readonly number[]
  add(atMs: number): void
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
    return file.kind === 'file' ? parseHistory(file.content.toString()) : []
  }
  return {
    read,
    add(atMs) {
      const restarts = [...read(), atMs].slice(-MOST_KEPT)
      const content = Buffer.from(`${JSON.stringify({ version: 1, restarts })}\n`)
      writeFileAtomically(fs, path, { content, ...access })
    },
  }
}

function parseHistory(text: string): number[] {
  try {
    const { restarts } = JSON.parse(text) as { restarts: unknown }
    return Array.isArray(restarts) ? restarts.filter(Number.isFinite) : []
  } catch {
    return []
  }
}
