import { closeSync, fsyncSync, openSync, rmSync, writeFileSync } from 'node:fs'

/**
 * Writes a file that was not there; what is there, be it a link that leads nowhere, stays as it is (EEXIST).
 * Its mode is `mode` from the first instant. Throws the error of open(2) and its like, and leaves nothing then.
 */
export function writeNewFile(path: string, content: string, mode: number): void {
  const fd = openSync(path, 'wx', mode)
  try {
    writeFileSync(fd, content)
    fsyncSync(fd)
  } catch (error) {
    rmSync(path, { force: true })
    throw error
  } finally {
    closeSync(fd)
  }
}
