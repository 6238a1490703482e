import { constants } from 'node:fs'
import { asText, bytesOf, fromBytes } from '../../core/sshd-config/bytes.ts'
import { errorCode, type FileSystem } from './file-system.ts'
import { underRoot } from './under-root.ts'

/** The files of a host, or of the tree of one. */
export interface HostFiles {
  /** Whether this is a tree under `--root`, where nothing runs. */
  readonly tree: boolean
  /** Where a path of the host lies for this process (`--root`). */
  readonly at: (path: string) => string
  readonly fs: FileSystem
}

/** Where a path that sshd's configuration names, in bytes, lies for this process. */
export function placeOf({ fs, at, tree }: HostFiles, path: string) {
  if (tree) return fromBytes(underRoot(fs, bytesOf(Buffer.from(at('/'))), path, 'follow'))
  const text = asText(path)
  return text === undefined ? fromBytes(path) : at(text)
}

/** What reading a file gives, as sshd would open it: through links. */
export type Read =
  | { kind: 'bytes'; content: Buffer }
  /** Nothing that can be opened, so that sshd passes it over, or says itself what is wrong. */
  | { kind: 'nothing'; code: string }
  /** sshd would wait for its end, or hold all of it in memory. */
  | { kind: 'endless'; what: string }

/** SSHBUF_SIZE_MAX of sshbuf.h: sshd gives up on more. */
const MOST_BYTES = 128 * 1024 * 1024

const NOTHING = [
  ...['ENOENT', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG', 'EACCES', 'ENXIO', 'ENODEV', 'EPERM'],
  // Node's word for a path with a NUL in it.
  'ERR_INVALID_ARG_VALUE',
]

/** Reads a file whole, without ever waiting for a pipe or a device. A folder reads as `EISDIR`. */
export function readWhole(host: HostFiles, path: string): Read {
  const { fs } = host
  let fd: number
  try {
    fd = fs.openSync(placeOf(host, path), constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (error) {
    const code = errorCode(error) ?? ''
    if (NOTHING.includes(code)) return { kind: 'nothing', code }
    throw error
  }
  try {
    const stat = fs.fstatSync(fd)
    if (stat.isDirectory()) return { kind: 'nothing', code: 'EISDIR' }
    if (stat.isCharacterDevice() && stat.rdev === NULL_DEVICE) {
      return { kind: 'bytes', content: Buffer.alloc(0) }
    }
    if (!stat.isFile()) return { kind: 'endless', what: 'a pipe or a device' }
    if (stat.size > MOST_BYTES) return { kind: 'endless', what: 'a file of more than 128 MiB' }
    return { kind: 'bytes', content: fs.readFileSync(fd) }
  } finally {
    fs.closeSync(fd)
  }
}

// 1:3, as mknod(1) has it on Linux: a link to it is a common way to switch a drop-in off.
const NULL_DEVICE = (1 << 8) | 3

/** The names in a folder, in bytes; none where there is none that can be read. */
export function namesIn(host: HostFiles, folder: string): { names: string[] } | { code: string } {
  try {
    return { names: host.fs.readdirSync(placeOf(host, folder), 'latin1') }
  } catch (error) {
    const code = errorCode(error) ?? ''
    if (NOTHING.includes(code)) return { code }
    throw error
  }
}
