import { posix } from 'node:path'

/**
 * Why others than `owner` may change a file, or put another in its place in a folder; `undefined`
 * where only `owner` can. `mode` as in inode(7): in a sticky folder, as /tmp, nobody renames what is
 * another's.
 */
export function whyUnsafe(
  { uid, mode }: { uid: number; mode: number },
  owner: number,
): string | undefined {
  if (uid !== owner) return `belongs to user ${uid}; chown it to root`
  if ((mode & 0o022) === 0 || (mode & 0o1000) !== 0) return undefined
  return 'can be written by others; chmod go-w it'
}

/**
 * The first place, of an absolute path and the folders above it, by which others decide what the file
 * holds, and why, as the beginning of a sentence; `whyAt` judges one place.
 */
export function othersDecide(
  path: string,
  whyAt: (place: string) => string | undefined,
): string | undefined {
  for (const place of withParents(path)) {
    const why = whyAt(place)
    if (why !== undefined) return `${place} ${why}: who can change ${path} decides`
  }
  return undefined
}

function withParents(path: string): string[] {
  const parent = posix.dirname(path)
  return parent === path ? [path] : [path, ...withParents(parent)]
}
