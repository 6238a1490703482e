import { spawnSync } from 'node:child_process'
import { constants } from 'node:fs'
import { type HostFiles, placeOf } from '../files/config-files.ts'
import { SYSTEM_PATH } from '../processes/run-command.ts'

const TIMEOUT_MS = 10_000

/**
 * Whether `ssh-keygen -Q` loads a key revocation list, by the same code as sshd (krl.c); `undefined`
 * where there is no ssh-keygen that runs. It reads the list from its standard input, since a path may
 * be bytes that no argument can be made from. Of a tree too it is this machine's own that is asked.
 */
export function loadsKrl(host: HostFiles, path: string): boolean | undefined {
  const fd = host.fs.openSync(placeOf(host, path), constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const { status } = spawnSync('ssh-keygen', ['-Q', '-f', '/dev/stdin'], {
      stdio: [fd, 'ignore', 'ignore'],
      env: { PATH: SYSTEM_PATH, LC_ALL: 'C' },
      timeout: TIMEOUT_MS,
    })
    return status === 0 ? true : status === 255 ? false : undefined
  } finally {
    host.fs.closeSync(fd)
  }
}
