import { constants } from 'node:fs'
import type {
  FileState,
  Observation,
  ServiceState,
  SshdState,
  Unseen,
} from '../core/observation.ts'
import { errorCode, type FileSystem } from './file-system.ts'
import type { Host } from './host.ts'

/** More than any file of ours can hold; a larger one is not ours. */
const MOST_BYTES = 1024 * 1024

/** Looks at the host and changes nothing; what can't be seen is said, not guessed. */
export async function observe(host: Host): Promise<Observation> {
  const unseen: Unseen[] = []
  const look = (path: string) => {
    const state = lookAt(host.fs, host.at(path))
    if (state.kind === 'unseen') unseen.push({ what: path, why: 'only root may read it' })
    return state
  }
  const { layout } = host
  return {
    caFolder: look(layout.caFolder.path),
    caFile: look(layout.caFile.path),
    dropInFolder: look(layout.dropInFolder.path),
    dropIn: look(layout.dropIn.path),
    sshd: await observeSshd(host, unseen),
    service: await observeService(host, unseen),
    owner: host.owner,
    tree: host.tree,
    unseen,
  }
}

async function observeSshd(host: Host, unseen: Unseen[]): Promise<SshdState> {
  if (host.sshd === undefined) return { kind: 'absent' }
  if (process.getuid?.() !== host.owner.uid) {
    unseen.push({ what: 'what sshd uses (sshd -T)', why: 'only root may read its host keys' })
    return { kind: 'unseen' }
  }
  const test = await host.sshd.test()
  if (!test.ok) return { kind: 'broken', message: test.message }
  return { kind: 'readable', effective: await host.sshd.effective(ANYBODY) }
}

/** A connection that no `Match` block is meant for. */
export const ANYBODY = { user: 'nobody', addr: '192.0.2.1' }

async function observeService(host: Host, unseen: Unseen[]): Promise<ServiceState> {
  try {
    return await host.service.state()
  } catch (error) {
    if (process.getuid?.() === 0) throw error
    unseen.push({ what: 'the ssh service', why: error instanceof Error ? error.message : '' })
    return { kind: 'unmanaged' }
  }
}

/** What stands at a path; the file is opened before it is judged, so that nobody swaps it between. */
export function lookAt(fs: FileSystem, path: string): FileState {
  let fd: number
  try {
    const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants
    fd = fs.openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
  } catch (error) {
    return unopened(error)
  }
  try {
    const stat = fs.fstatSync(fd)
    const owner = { mode: stat.mode & 0o7777, uid: stat.uid, gid: stat.gid }
    if (stat.isDirectory()) return { kind: 'folder', ...owner }
    if (!stat.isFile()) return { kind: 'other', what: 'device, pipe or socket' }
    if (stat.size > MOST_BYTES) return { kind: 'file', ...owner, content: Buffer.alloc(0) }
    return { kind: 'file', ...owner, content: fs.readFileSync(fd) }
  } finally {
    fs.closeSync(fd)
  }
}

function unopened(error: unknown): FileState {
  switch (errorCode(error)) {
    case 'ENOENT':
      return { kind: 'missing' }
    case 'ELOOP':
      return { kind: 'other', what: 'symbolic link' }
    case 'ENXIO':
      return { kind: 'other', what: 'device, pipe or socket' }
    case 'EACCES':
      return { kind: 'unseen' }
    default:
      throw error
  }
}
