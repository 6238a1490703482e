import { MAX_BUNDLE_BYTES } from '../core/bundle-limits.ts'
import { messageOf } from '../core/failures.ts'
import type { FileState, ForeignCaFile, Unseen } from '../core/observation.ts'
import { bytesOf, fromBytes, showBytes } from '../core/sshd-config/bytes.ts'
import { placeOf } from './config-files.ts'
import { errorCode } from './file-system.ts'
import type { Host } from './host.ts'
import { lookAt } from './look-at.ts'

/**
 * The CA file that another owner's line names, by the name that stands there. The owner may well
 * keep it behind a link; it is only read. `unseen` hears of what only root may read.
 */
export function readForeignCaFile(host: Host, name: string, unseen: Unseen[]): ForeignCaFile {
  const path = inFull(host, name)
  if (typeof path !== 'string') return path
  try {
    const place = realPlaceOf(host, path)
    // By another name, it is ours: there is nothing in it that we did not write.
    if (place === placeOfOurs(host)) return read(path, Buffer.alloc(0))
    return asRead(path, lookAt(host.fs, fromBytes(place)), unseen)
  } catch (error) {
    const code = errorCode(error)
    if (code === undefined) throw error
    if (code === 'EACCES' && process.getuid?.() !== 0) return notSeen(path, unseen)
    return unreadable(REASONS.get(code) ?? messageOf(error))
  }
}

const REASONS: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'it is missing'],
  ['ENOTDIR', 'it is missing'],
  ['ELOOP', 'its links lead in a circle'],
  ['EACCES', 'root may not read it'],
])

function asRead(path: string, state: FileState, unseen: Unseen[]): ForeignCaFile {
  switch (state.kind) {
    case 'file':
      return state.content.length > MAX_BUNDLE_BYTES
        ? unreadable(`it has more than ${MAX_BUNDLE_BYTES / 1024} KiB`)
        : read(path, state.content)
    case 'other':
      return unreadable(`it is a ${state.what}`)
    case 'folder':
      return unreadable('it is a folder')
    case 'missing':
      return unreadable('it is missing')
    case 'unseen':
      return process.getuid?.() === 0 ? unreadable('root may not read it') : notSeen(path, unseen)
  }
}

const unreadable = (why: string): ForeignCaFile => ({ kind: 'unreadable', why })
const read = (path: string, content: Buffer): ForeignCaFile => ({
  kind: 'read',
  path: showBytes(path),
  content,
})

function notSeen(path: string, unseen: Unseen[]): ForeignCaFile {
  unseen.push({ what: showBytes(path), why: 'only root may read it' })
  return read(path, Buffer.alloc(0))
}

// In bytes, behind all links; one in a tree leads to a place in the tree.
function realPlaceOf(host: Host, path: string): string {
  const place = placeOf(host, path)
  return bytesOf(host.tree ? Buffer.from(place) : host.fs.realpathSync(place, 'buffer'))
}

function placeOfOurs(host: Host): string | undefined {
  try {
    return realPlaceOf(host, host.layout.caFile.path)
  } catch {
    return undefined
  }
}

// misc.c, derelativise_path: `~` is the home of the user that sshd runs as, `~user` that of another;
// a relative path starts in the folder that sshd was started in, which nobody can tell.
function inFull(host: Host, name: string): string | ForeignCaFile {
  if (name.startsWith('/')) return name
  if (!name.startsWith('~')) return unreadable('it is a relative path; write it in full')
  const [user = '', ...rest] = name.slice(1).split('/')
  const home = homeOf(host, user)
  if (home === undefined) {
    return unreadable(`/etc/passwd has no home for ${user || 'root'}; write it in full`)
  }
  return `${home.replace(/\/$/, '')}/${rest.join('/')}`
}

// passwd(5); sshd asks for its own user by number.
function homeOf({ fs, at }: Host, user: string): string | undefined {
  try {
    const lines = fs.readFileSync(at('/etc/passwd'), 'utf8').split('\n')
    const fields = lines
      .map(line => line.split(':'))
      .find(([name, , uid]) => (user === '' ? uid === '0' : name === user))
    return fields?.[5]?.startsWith('/') ? fields[5] : undefined
  } catch (error) {
    if (errorCode(error) === undefined) throw error
    return undefined
  }
}
