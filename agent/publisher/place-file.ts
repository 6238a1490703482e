import { randomUUID } from 'node:crypto'
import {
  closeSync,
  existsSync,
  fchmodSync,
  fsyncSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { getSystemErrorMessage } from 'node:util'
import { messageOf } from '../core/outcome/failures.ts'

/**
 * Writes a file that a web server may be serving: whoever reads it sees the old one or the new one
 * whole. Its mode is `mode` (0644: public keys), whatever the umask. Behind a link it is the link's
 * target; a pipe or a device (`-o /dev/stdout`) is written to and not replaced. Throws an error that
 * stands behind the path: why it is none to write to; nothing is left there then.
 */
export function placeFile(path: string, content: string | Uint8Array, mode = 0o644): void {
  try {
    place(path, content, mode)
  } catch (error) {
    throw new Error(whyNot(path, error), { cause: error })
  }
}

function place(path: string, content: string | Uint8Array, mode: number): void {
  const found = statSync(path, { throwIfNoEntry: false })
  if (found !== undefined && !found.isFile()) {
    writeFileSync(path, content)
    return
  }
  const target = found === undefined ? path : realpathSync(path)
  const folder = dirname(target)
  // Not by process id: one that was killed in a container left its file to the next of the same id.
  const temp = join(folder, `.${randomUUID()}.pomerium-host-agent`)
  const fd = openSync(temp, 'wx', mode)
  try {
    try {
      writeFileSync(fd, content)
      fchmodSync(fd, mode)
      fsyncSync(fd)
    } finally {
      closeSync(fd)
    }
    renameSync(temp, target)
    syncFolder(folder)
  } catch (error) {
    rmSync(temp, { force: true })
    throw error
  }
}

// Else a power cut may take the new name back, after others were told of it.
function syncFolder(folder: string): void {
  const fd = openSync(folder, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

// Node's own words name the temporary file, of which nobody has heard.
function whyNot(path: string, error: unknown): string {
  if (!(error instanceof Error && 'code' in error && 'errno' in error)) return messageOf(error)
  const { code, errno } = error as NodeJS.ErrnoException
  if (code === 'ENOENT' && !existsSync(dirname(path))) return 'no such directory (ENOENT)'
  if (code === 'EISDIR') return 'it is a directory (EISDIR)'
  return `${getSystemErrorMessage(errno ?? 0)} (${code})`
}
