import { randomUUID } from 'node:crypto'
import {
  closeSync,
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

/**
 * Writes a file that a web server may be serving: whoever reads it sees the old one or the new one
 * whole. Its mode is `mode` (0644: public keys), whatever the umask. Behind a link it is the link's
 * target; a pipe or a device (`-o /dev/stdout`) is written to and not replaced. Throws the error of
 * open(2) and its like.
 */
export function placeFile(path: string, content: string | Uint8Array, mode = 0o644): void {
  const found = statSync(path, { throwIfNoEntry: false })
  if (found !== undefined && !found.isFile()) {
    writeFileSync(path, content)
    return
  }
  const place = found === undefined ? path : realpathSync(path)
  const folder = dirname(place)
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
    renameSync(temp, place)
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
