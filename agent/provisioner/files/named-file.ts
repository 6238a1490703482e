import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs'
import { errorCode } from './file-system.ts'

/** systemd hands over no more than this in all (systemd.exec(5), `LoadCredential=`), and no file here is as large. */
const MOST_BYTES = 1024 * 1024

/** A file that somebody has named: what it holds, or what is wrong with it, to stand behind its path. */
export type NamedFile =
  | { kind: 'file'; content: Buffer }
  | { kind: 'missing' | 'unfit'; problem: string }

/**
 * Reads a file that a setting or a flag names. It may be a link, as systemd follows one; a pipe is not
 * waited for, and a device not read.
 */
export function readNamedFile(path: string): NamedFile {
  let fd: number
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (error) {
    return unopened(error)
  }
  try {
    const stat = fstatSync(fd)
    if (stat.isDirectory()) return { kind: 'unfit', problem: 'is a folder, not a file' }
    if (!stat.isFile()) return { kind: 'unfit', problem: 'is a pipe or a device, not a file' }
    if (stat.size > MOST_BYTES) return { kind: 'unfit', problem: 'is a file of more than 1 MiB' }
    return { kind: 'file', content: readFileSync(fd) }
  } catch (error) {
    return unopened(error)
  } finally {
    closeSync(fd)
  }
}

function unopened(error: unknown): NamedFile {
  const code = errorCode(error)
  switch (code) {
    case undefined:
      throw error
    case 'ENOENT':
    case 'ENOTDIR':
      return { kind: 'missing', problem: 'is missing' }
    case 'ELOOP':
      return { kind: 'unfit', problem: 'is a link that leads in a circle' }
    case 'ENXIO':
      return { kind: 'unfit', problem: 'is a socket, not a file' }
    default:
      return { kind: 'unfit', problem: `can't be read (${code})` }
  }
}
