import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'

/**
 * Writes a file that a web server may be serving: whoever reads it sees the old one or the new one
 * whole. Its mode is 0644: it holds public keys.
 */
export function placeFile(path: string, content: string | Uint8Array): void {
  const temp = join(dirname(path), `.${process.pid}.pomerium-host-agent`)
  const fd = openSync(temp, 'wx', 0o644)
  try {
    try {
      writeSync(fd, Buffer.from(content as Uint8Array))
      fsyncSync(fd)
    } finally {
      closeSync(fd)
    }
    renameSync(temp, path)
  } catch (error) {
    rmSync(temp, { force: true })
    throw error
  }
}
