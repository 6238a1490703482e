import { constants } from 'node:fs'
import type { FileState } from '../../core/host/observation.ts'
import { errorCode, type FileSystem } from './file-system.ts'

/** More than any file of ours can hold; a larger one is not ours. */
const MOST_BYTES = 1024 * 1024

/** What stands at a path; the file is opened before it is judged, so that nobody swaps it between. */
export function lookAt(fs: FileSystem, path: string): FileState {
  let fd: number
  try {
    const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants
    fd = fs.openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
  } catch (error) {
    return unopened(error)
  }
  try {
    const stat = fs.fstatSync(fd)
    const owner = { mode: stat.mode & 0o7777, uid: stat.uid, gid: stat.gid }
    if (stat.isDirectory()) return { kind: 'folder', ...owner }
    if (!stat.isFile()) return { kind: 'other', what: 'device, pipe or socket' }
    if (stat.size > MOST_BYTES) return { kind: 'other', what: 'file of more than 1 MiB' }
    return { kind: 'file', ...owner, content: fs.readFileSync(fd) }
  } finally {
    fs.closeSync(fd)
  }
}

function unopened(error: unknown): FileState {
  switch (errorCode(error)) {
    case 'ENOENT':
    case 'ENOTDIR':
      return { kind: 'missing' }
    case 'ELOOP':
      return { kind: 'other', what: 'symbolic link' }
    case 'ENXIO':
      return { kind: 'other', what: 'device, pipe or socket' }
    case 'EACCES':
      return { kind: 'unseen' }
    default:
      throw error
  }
}
