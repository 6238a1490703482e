// A host's files, read and written from outside without starting a process in it.

import { createHash } from 'node:crypto'
import { lstatSync, readlinkSync } from 'node:fs'
import {
  chmod,
  chown,
  lstat,
  mkdir,
  readdir,
  readFile,
  readlink,
  writeFile,
} from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

export interface FileState {
  uid: number
  gid: number
  /** Permission bits in octal, four digits: `0644`. */
  mode: string
  ino: bigint
  mtimeNs: bigint
  size: bigint
}

/** What `snapshot` holds of one path: all that "as it was, byte for byte" is about, and no times. */
export interface Entry {
  type: 'file' | 'directory' | 'link' | 'other'
  mode: string
  uid: number
  gid: number
  sha256?: string
  target?: string
}

export interface HostFiles {
  /** The root of the host, as a path outside. Beware of absolute links inside: use `path`. */
  readonly root: string
  /** The path outside of a path inside; links are followed as the host follows them. */
  path(inside: string): string
  read(path: string): Promise<string>
  /** Writes in place, as an editor or an admin's `>` does; folders are made as needed. */
  write(path: string, content: string | Uint8Array, access?: Access): Promise<void>
  exists(path: string): boolean
  /** Of the path itself, where it is a link. Throws where there is nothing. */
  stat(path: string): Promise<FileState>
  /** Everything in a folder, the folder itself as `.`; `{}` where there is none. */
  snapshot(folder: string): Promise<Record<string, Entry>>
}

export interface Access {
  mode?: number
  uid?: number
  gid?: number
}

/** The files below `rootOf()`, which is asked each time: it moves when a host boots again. */
export function hostFiles(rootOf: () => string): HostFiles {
  const path = (inside: string) => resolveWithin(rootOf(), inside)
  const own = (inside: string) => join(path(dirname(inside)), basename(inside))
  return {
    get root() {
      return rootOf()
    },
    path,
    read: inside => readFile(path(inside), 'utf8'),
    async write(inside, content, { mode, uid = -1, gid = -1 } = {}) {
      const target = path(inside)
      await mkdir(dirname(target), { recursive: true })
      await writeFile(target, content)
      if (uid !== -1 || gid !== -1) await chown(target, uid, gid)
      if (mode !== undefined) await chmod(target, mode)
    },
    exists: inside => lstatSync(path(inside), { throwIfNoEntry: false }) !== undefined,
    async stat(inside) {
      const { uid, gid, mode, ino, mtimeNs, size } = await lstat(own(inside), { bigint: true })
      return { uid: Number(uid), gid: Number(gid), mode: octal(Number(mode)), ino, mtimeNs, size }
    },
    async snapshot(inside) {
      const folder = path(inside)
      if (!lstatSync(folder, { throwIfNoEntry: false })) return {}
      const names = ['.', ...(await readdir(folder, { recursive: true })).sort()]
      const entries = names.map(async name => [name, await describe(join(folder, name))] as const)
      return Object.fromEntries(await Promise.all(entries))
    },
  }
}

async function describe(path: string): Promise<Entry> {
  const stats = await lstat(path)
  const common = { mode: octal(stats.mode), uid: stats.uid, gid: stats.gid }
  if (stats.isDirectory()) return { type: 'directory', ...common }
  if (stats.isSymbolicLink()) return { type: 'link', ...common, target: await readlink(path) }
  if (!stats.isFile()) return { type: 'other', ...common }
  const sha256 = createHash('sha256')
    .update(await readFile(path))
    .digest('hex')
  return { type: 'file', ...common, sha256 }
}

const octal = (mode: number) => (mode & 0o7777).toString(8).padStart(4, '0')

// The kernel follows an absolute link from *our* root; /usr/local/bin of a host is full of them.
function resolveWithin(root: string, inside: string, links = 0): string {
  if (links > 40) throw new Error(`too many links on the way to ${inside}`)
  const parts = join('/', inside).split('/').filter(Boolean)
  let walked = ''
  for (const [index, part] of parts.entries()) {
    const next = `${walked}/${part}`
    if (lstatSync(root + next, { throwIfNoEntry: false })?.isSymbolicLink()) {
      const target = readlinkSync(root + next)
      const rest = parts.slice(index + 1).join('/')
      const start = target.startsWith('/') ? target : join('/', walked, target)
      return resolveWithin(root, join(start, rest), links + 1)
    }
    walked = next
  }
  return root + walked
}
