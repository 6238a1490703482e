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
