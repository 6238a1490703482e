import { closeSync, constants, fstatSync, openSync, realpathSync, statSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { othersDecide, whyUnsafe } from '../../core/basics/root-only-path.ts'
import { readBounded } from '../read-bounded.ts'

/**
 * The text of a file that nobody can write or put there but its reader and root; `undefined` where there
 * is none. Throws where somebody else can, saying who and what to do, and the errors of open(2).
 */
export function readOwnFile(path: string): string | undefined {
  const folder = realpathSync(dirname(path))
  const decided = othersDecide(folder, place => whyNotOwn(statSync(place)))
  if (decided !== undefined) {
    throw new Error(`${decided} what ${basename(path)} runs as you; or name a --state elsewhere`)
  }
  // In a sticky folder a file of one's own is safe; a link can take its place before there is one.
  if ((statSync(folder).mode & 0o022) !== 0) {
    throw new Error(
      `${folder} can be written by others, who may put a link in the place of ${basename(path)}; name a --state in a folder of your own`,
    )
  }
  let fd: number
  try {
    // Not to wait for who writes into a pipe.
    fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'ENOENT') return undefined
    if (code === 'ELOOP') throw new Error(`${path} is a link; name the file itself by --state`)
    throw error
  }
  try {
    const found = fstatSync(fd)
    if (!found.isFile()) throw new Error(`${path} is no file`)
    // The sticky bit says something of folders alone.
    const why = whyNotOwn({ uid: found.uid, mode: found.mode & 0o777 })
    if (why !== undefined) throw new Error(`${path} ${why}, after a look at what it runs as you`)
    return readBounded(fd).toString()
  } finally {
    closeSync(fd)
  }
}

function whyNotOwn({ uid, mode }: { uid: number; mode: number }): string | undefined {
  // Root decides everything anyway.
  const isOurs = uid === 0 || uid === process.geteuid?.()
  return isOurs ? whyUnsafe({ uid, mode }, uid) : `belongs to user ${uid}; take it over`
}
