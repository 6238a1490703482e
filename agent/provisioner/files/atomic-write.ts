import { constants } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { errorCode, type FileSystem } from './file-system.ts'

/** A file as it shall be; `mode` holds the permission bits only. */
export interface FileSpec {
  content: Uint8Array
  mode: number
  uid: number
  gid: number
}

/**
 * The name a file has until it is whole: hidden and not ending in `.conf`, so that no Include
 * pattern of sshd finds it; fixed, so that what a killed process left is found again.
 */
export function temporaryName(path: string): string {
  return join(dirname(path), `.${basename(path)}.pomerium-host-agent`)
}

/**
 * Puts a whole file at `path` or leaves what is there: written beside it, owner and mode set,
 * synced, then renamed over it (rename(2) is atomic), and the folder synced so that it lasts.
 * `relabel` gives it its SELinux label while nobody reads it yet.
 */
export function writeFileAtomically(
  fs: FileSystem,
  path: string,
  spec: FileSpec,
  relabel: (temporary: string) => void = () => {},
): void {
  const temporary = temporaryName(path)
  removeFile(fs, temporary)
  try {
    const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants
    const fd = fs.openSync(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600)
    try {
      for (let at = 0; at < spec.content.length; ) {
        at += fs.writeSync(fd, spec.content, at)
      }
      setAccess(fs, fd, spec)
      fs.fsyncSync(fd)
    } finally {
      fs.closeSync(fd)
    }
    relabel(temporary)
    fs.renameSync(temporary, path)
  } catch (error) {
    discard(fs, temporary)
    throw error
  }
  syncFolder(fs, dirname(path))
}

/**
 * Gives a new file or folder its owner and mode, whatever the umask. The owner is asked for only
 * where it changes: what root makes is root's, and the sandbox has no CAP_CHOWN.
 */
export function setAccess(fs: FileSystem, fd: number, access: Omit<FileSpec, 'content'>): void {
  const { uid, gid } = fs.fstatSync(fd)
  if (uid !== access.uid || gid !== access.gid) fs.fchownSync(fd, access.uid, access.gid)
  fs.fchmodSync(fd, access.mode)
}

/** Removes a file and makes that last; a missing one is fine. */
export function removeFile(fs: FileSystem, path: string): void {
  try {
    fs.unlinkSync(path)
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return
    throw error
  }
  syncFolder(fs, dirname(path))
}

// fsync(2): the new name of a file is on disk only once its folder is.
export function syncFolder(fs: FileSystem, path: string): void {
  const fd = fs.openSync(path, constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    fs.fsyncSync(fd)
  } finally {
    fs.closeSync(fd)
  }
}

// The write has failed already and that error is the one to tell; the next start clears what stays.
function discard(fs: FileSystem, temporary: string): void {
  try {
    fs.unlinkSync(temporary)
  } catch {}
}
