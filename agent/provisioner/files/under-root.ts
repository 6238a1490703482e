import { errorCode, type FileSystem } from './file-system.ts'

/** As many links as the kernel follows in one path (path_resolution(7)). */
const MOST_LINKS = 40

/**
 * Where a path comes to in a tree, as it would once the tree is the root: an absolute symbolic link
 * starts at `root` again, and `..` never leads out. Paths are bytes (core/sshd-config/bytes.ts). What
 * is not there is left as it stands; a loop ends at one of its links. `last` says whether a link that
 * the path itself names is followed, too.
 */
export function underRoot(
  fs: Pick<FileSystem, 'lstatSync' | 'readlinkSync'>,
  root: string,
  path: string,
  last: 'follow' | 'keep',
): string {
  const base = root.replace(/\/+$/, '')
  const ahead = path.split('/')
  const behind: string[] = []
  let links = 0
  while (ahead.length > 0) {
    const name = ahead.shift() ?? ''
    if (name === '' || name === '.') continue
    if (name === '..') {
      // Not from what is no folder: the kernel finds nothing there, and shall say so.
      if (!isFolder(fs, [base, ...behind].join('/'))) return [base, ...behind, name].join('/')
      behind.pop()
      continue
    }
    const isLast = ahead.every(next => next === '' || next === '.')
    const place = [base, ...behind, name].join('/')
    const target = isLast && last === 'keep' ? undefined : linkAt(fs, place)
    if (target === undefined || links === MOST_LINKS) {
      behind.push(name)
      continue
    }
    links += 1
    if (target.startsWith('/')) behind.length = 0
    ahead.unshift(...target.split('/'))
  }
  return `${base}/${behind.join('/')}`
}

function isFolder({ lstatSync }: Pick<FileSystem, 'lstatSync'>, place: string): boolean {
  try {
    return lstatSync(Buffer.from(place === '' ? '/' : place, 'latin1')).isDirectory()
  } catch (error) {
    if (errorCode(error) === undefined) throw error
    return false
  }
}

function linkAt({ readlinkSync }: Pick<FileSystem, 'readlinkSync'>, place: string) {
  try {
    return readlinkSync(Buffer.from(place, 'latin1'), 'latin1')
  } catch (error) {
    // No link, or nothing at all; whoever opens it learns of the rest.
    if (
      ['EINVAL', 'ENOENT', 'ENOTDIR', 'ENAMETOOLONG', 'EACCES', 'ELOOP'].includes(
        errorCode(error) ?? '',
      )
    ) {
      return undefined
    }
    throw error
  }
}
