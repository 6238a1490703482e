import { chmodSync, mkdirSync, rmdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { removeFile, writeFileAtomically } from '../files/atomic-write.ts'
import { errorCode, isThere, realFileSystem } from '../files/file-system.ts'
import { lookAt } from '../files/read-file-state.ts'
import { note, type Site } from './install-record.ts'
import { SetupError } from './setup-error.ts'

/** A file as the set-up wants it. */
export interface LaidFile {
  path: string
  content: string | Uint8Array
  mode: number
  uid: number
  gid: number
  /** Mode of the folder where it is to be made; 0755 if not given. */
  folderMode?: number
}

/** Brings a file about; where it is there already, just so, nothing is touched. */
export function layFile(site: Site, file: LaidFile): void {
  const content = Buffer.from(file.content as Uint8Array)
  const { mode, uid, gid } = file
  const found = lookAt(realFileSystem, site.at(file.path))
  if (found.kind !== 'file' && found.kind !== 'missing') {
    throw new SetupError(
      `${file.path} is a ${found.kind === 'other' ? found.what : found.kind}, not a file`,
    )
  }
  const access = found.kind === 'file' ? [found.mode, found.uid, found.gid].join() : ''
  if (
    found.kind === 'file' &&
    content.equals(found.content) &&
    access === [mode, uid, gid].join()
  ) {
    return
  }
  layFolder(site, dirname(file.path), file.folderMode)
  if (!isNoted(site, file.path)) {
    note(site, ({ files, originals }) => {
      if (found.kind === 'missing') files.push(file.path)
      else {
        const { mode, uid, gid } = found
        const before = found.content.toString('base64')
        originals.push({ path: file.path, content: before, mode, uid, gid })
      }
    })
  }
  writeFileAtomically(realFileSystem, site.at(file.path), { content, mode, uid, gid })
  site.changed.push(file.path)
}

/** Makes a folder and those above it, as far as they are missing. */
export function layFolder(site: Site, path: string, mode = 0o755): void {
  if (isThere(realFileSystem, site.at(path))) return
  layFolder(site, dirname(path))
  note(site, ({ folders }) => void (folders.includes(path) || folders.push(path)))
  mkdirSync(site.at(path))
  chmodSync(site.at(path), mode)
  site.changed.push(path)
}

/** Takes a file of ours away that the settings no longer want; one of somebody else stays. */
export function dropFile(site: Site, path: string): void {
  if (!site.record.files.includes(path) || !isFile(site, path)) return
  removeFile(realFileSystem, site.at(path))
  removeEmptyFolder(site, dirname(path))
  site.changed.push(path)
}

/** Puts every file back as it was. Returns the folders of ours that others now use. */
export function undoFiles(site: Site): string[] {
  const { files, originals, folders } = site.record
  for (const path of files) {
    if (isFile(site, path)) removeFile(realFileSystem, site.at(path))
  }
  for (const { path, content, ...access } of originals) {
    if (isFolder(site, path)) continue
    const bytes = Buffer.from(content, 'base64')
    writeFileAtomically(realFileSystem, site.at(path), { content: bytes, ...access })
  }
  return folders.toReversed().filter(folder => !removeEmptyFolder(site, folder))
}

// A link in the place of a file of ours is taken away as such; a folder is somebody else's.
const isFile = (site: Site, path: string) =>
  isThere(realFileSystem, site.at(path)) && !isFolder(site, path)

const isFolder = ({ at }: Site, path: string) => lookAt(realFileSystem, at(path)).kind === 'folder'

/** Whether the folder is gone now. Only one that we made is taken away. */
function removeEmptyFolder(site: Site, path: string): boolean {
  if (!site.record.folders.includes(path)) return true
  try {
    rmdirSync(site.at(path))
    return true
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return true
    if (errorCode(error) === 'ENOTEMPTY') return false
    throw error
  }
}

function isNoted({ record }: Site, path: string): boolean {
  return record.files.includes(path) || record.originals.some(each => each.path === path)
}
