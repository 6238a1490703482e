import type { FileSystem } from '../files/file-system.ts'

/**
 * Why the socket must not be served: `undefined` where only root and one group may connect.
 * Node can't ask who is at the other end (SO_PEERCRED of unix(7)); that nobody else gets in is the
 * kernel's check of this mode at connect(2), so it is looked at before anybody is heard.
 */
export function unsafeSocket(
  { lstatSync }: Pick<FileSystem, 'lstatSync'>,
  path: string,
  owner: number,
): string | undefined {
  const stat = lstatSync(path)
  if (!stat.isSocket()) return `${path} is not a socket`
  if (stat.uid !== owner) return `${path} belongs to user ${stat.uid}, not to ${owner}`
  return (stat.mode & 0o007) === 0 ? undefined : `${path} is open to everybody; chmod it to 0660`
}
