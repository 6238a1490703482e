import { spawnSync } from 'node:child_process'
import type { Host } from './host.ts'

/** How long another run may hold the lock, in seconds, before this one gives up. */
const PATIENCE_SECONDS = 60

/**
 * Holds the lock while `work` runs, so that an `apply` from a shell and the provisioner never write
 * at once. flock(1) locks the open file, which this process shares with it and keeps; the kernel
 * lets go when this process ends, however it ends.
 */
export async function withLock<T>(host: Host, work: () => Promise<T>): Promise<T> {
  const { path, mode } = host.layout.lock
  const fd = host.fs.openSync(host.at(path), 'a', mode)
  try {
    const args = ['--exclusive', '--wait', String(PATIENCE_SECONDS), '3']
    // execa hands on no descriptor but 0 to 2.
    const { status, error } = spawnSync('flock', args, {
      stdio: ['ignore', 'ignore', 'ignore', fd],
    })
    if (error !== undefined) throw new Error('flock(1) of util-linux is needed', { cause: error })
    if (status !== 0) {
      throw new Error(`another run has held ${path} for ${PATIENCE_SECONDS} s; try again later`)
    }
    return await work()
  } finally {
    host.fs.closeSync(fd)
  }
}
