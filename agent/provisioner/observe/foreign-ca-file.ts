import { MAX_BUNDLE_BYTES } from '../../core/bundle/limits.ts'
import type { ForeignCaFile, Unseen } from '../../core/host/observation.ts'
import { bytesOf, showBytes } from '../../core/sshd-config/bytes.ts'
import { placeOf, readWhole } from '../files/config-files.ts'
import { errorCode } from '../files/file-system.ts'
import type { Host } from '../host/host.ts'

/**
 * The CA file that another owner's line names, by the name that stands there, in bytes. The owner may
 * well keep it behind a link; it is only read. `unseen` hears of what only root may read. `foundOurs`: what
 * lies where ours is to be was laid by others too.
 */
export function readForeignCaFile(
  host: Host,
  name: string,
  unseen: Unseen[],
  foundOurs = false,
): ForeignCaFile {
  const path = inFull(host, name)
  if (typeof path !== 'string') return path
  // It stands beside each of its keys in the state and the journal, which are read back to a limit.
  if (path.length > MOST_PATH) return unreadable(`its path has more than ${MOST_PATH} bytes`)
  if (!foundOurs && isOurs(host, path)) return { kind: 'ours' }
  const found = readWhole(host, path)
  switch (found.kind) {
    case 'bytes':
      return found.content.length > MAX_BUNDLE_BYTES
        ? unreadable(`it has more than ${MAX_BUNDLE_BYTES / 1024} KiB`)
        : read(path, found.content)
    case 'endless':
      return unreadable(`it is ${found.what}`)
    case 'nothing': {
      if (found.code !== 'EACCES' || host.isRoot) {
        const why = REASONS.get(found.code) ?? `it can't be opened (${found.code})`
        return why === MISSING ? { ...unreadable(why), missing: true } : unreadable(why)
      }
      unseen.push({ what: showBytes(path), why: 'only root may read it' })
      return { kind: 'unseen' }
    }
  }
}

const MOST_PATH = 512

const MISSING = 'it is missing'

const REASONS: ReadonlyMap<string, string> = new Map([
  ['ENOENT', MISSING],
  ['ENOTDIR', MISSING],
  ['EISDIR', 'it is a folder'],
  ['ELOOP', 'its links lead in a circle'],
  ['EACCES', 'root may not read it'],
])

const unreadable = (why: string) => ({ kind: 'unreadable', why }) as const
const read = (path: string, content: Buffer): ForeignCaFile => ({
  kind: 'read',
  path: showBytes(path),
  content,
})

function isOurs(host: Host, path: string): boolean {
  const place = realPlace(host, path)
  return place !== undefined && place === realPlace(host, host.layout.caFile.path)
}

/** Where a name leads in the end; `undefined` where it leads nowhere. */
export function realPlace(host: Host, path: string): string | undefined {
  try {
    return host.fs.realpathSync(placeOf(host, path), 'latin1')
  } catch (error) {
    if (errorCode(error) === undefined) throw error
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
    return unreadable(`/etc/passwd has no home for ${showBytes(user) || 'root'}; write it in full`)
  }
  return `${home.replace(/\/$/, '')}/${rest.join('/')}`
}

// passwd(5); sshd asks for its own user by number.
function homeOf(host: Host, user: string): string | undefined {
  const passwd = readWhole(host, '/etc/passwd')
  const lines = passwd.kind === 'bytes' ? bytesOf(passwd.content).split('\n') : []
  const fields = lines
    .map(line => line.split(':'))
    .find(([name, , uid]) => (user === '' ? uid === '0' : name === user))
  return fields?.[5]?.startsWith('/') ? fields[5] : undefined
}
