import { fstatSync, rmSync, statSync } from 'node:fs'
import { isThrown } from '../../core/basics/agent-error.ts'
import { messageOf } from '../../core/outcome/failures.ts'
import { errorCode, realFileSystem } from '../files/file-system.ts'
import { SetupError } from '../installation/setup-error.ts'
import { lockFile } from '../transaction/lock.ts'

// In memory, and taken away at the end: a host from which we are taken off is as it was found.
const LOCK = { path: '/run/pomerium-host-agent-configure.lock', mode: 0o600 }

/**
 * Runs one set-up after the other: each reads the settings that are there and writes them with its own.
 * Not for what a service's script calls, which a set-up starts and waits for. Throws SetupError where
 * another one does not come to an end.
 */
export async function oneAtATime<T>(work: () => Promise<T>): Promise<T> {
  using _ = lock()
  try {
    return await work()
  } finally {
    rmSync(LOCK.path, { force: true })
  }
}

function lock(): Disposable {
  for (;;) {
    try {
      const held = lockFile(LOCK, realFileSystem)
      // One that was waited for is gone by now, and who comes next locks another.
      const [ours, there] = [
        fstatSync(held.fd).ino,
        statSync(LOCK.path, { throwIfNoEntry: false })?.ino,
      ]
      if (ours === there) return held
      held[Symbol.dispose]()
    } catch (error) {
      const isHosts = isThrown(error, 'lock-held') || errorCode(error) !== undefined
      throw isHosts ? new SetupError(messageOf(error)) : error
    }
  }
}
