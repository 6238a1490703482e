import { spawnSync } from 'node:child_process'
import { AgentError } from '../../core/basics/agent-error.ts'
import type { Place } from '../../core/config/layout.ts'
import type { Host } from '../host/host.ts'

/** How long another run may hold the lock, in seconds, before this one gives up. */
const PATIENCE_SECONDS = 60

/**
 * Takes the lock, so that an `apply` from a shell and the provisioner never write at once; disposing
 * of it lets go. Throws as `lockFile` does.
 */
export function takeLock({ fs, at, layout }: Host): Disposable {
  const { path, mode } = layout.lock
  return lockFile({ path: at(path), mode }, fs)
}

/**
 * Makes and locks a file. flock(1) locks the open file, which this process shares with it and keeps; the
 * kernel lets go when this process ends, however it ends. Throws the error of open(2) where the file
 * can't be opened, and `lock-held` where another run goes on.
 */
export function lockFile({ path, mode }: Place, fs: Host['fs']): Disposable & { fd: number } {
  const fd = fs.openSync(path, 'a', mode)
  const letGo = () => {
    try {
      fs.closeSync(fd)
    } catch {
      // close(2) has closed it all the same, and nothing was written to it.
    }
  }
  try {
    const args = ['--exclusive', '--wait', String(PATIENCE_SECONDS), '3']
    // execa hands on no descriptor but 0 to 2.
    const { status, error } = spawnSync('flock', args, {
      stdio: ['ignore', 'ignore', 'ignore', fd],
    })
    if (error !== undefined) throw new Error('flock(1) of util-linux is needed', { cause: error })
    if (status !== 0) {
      throw new AgentError(
        'lock-held',
        `another run has held ${path} for ${PATIENCE_SECONDS} s; see what it does, and try again`,
      )
    }
    return { fd, [Symbol.dispose]: letGo }
  } catch (error) {
    letGo()
    throw error
  }
}
