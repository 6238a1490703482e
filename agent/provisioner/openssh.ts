import { type EffectiveConfig, parseEffectiveConfig } from '../core/effective-config.ts'
import { errorCode, type FileSystem } from './file-system.ts'
import type { CommandResult } from './run-command.ts'

/** A connection to ask sshd about: `sshd -T -C user=…,host=…,addr=…` (sshd(8)). */
export interface Connection {
  user: string
  addr: string
}

/** The sshd of this host, asked about its configuration; nothing here changes anything. */
export interface Sshd {
  /** Whether sshd could start with the configuration on disk; `sshd -t`. */
  test(): Promise<{ ok: true } | { ok: false; message: string }>
  /** What sshd would use for a connection; `sshd -T -C`. */
  effective(connection: Connection): Promise<EffectiveConfig>
}

const SSHD_PATHS = ['/usr/sbin/sshd', '/usr/local/sbin/sshd', '/usr/bin/sshd']

export function findSshd(fs: FileSystem, at: (path: string) => string): string | undefined {
  return SSHD_PATHS.find(path => {
    try {
      return fs.lstatSync(at(path)) !== undefined
    } catch {
      return false
    }
  })
}

/**
 * `argv` is sshd with the options that name its configuration, without `-t` or `-T`.
 * sshd fails these where its privilege separation folder is missing, as it is while the service is
 * stopped; that is no fault of the configuration, so `runFolder` is made first. It is never removed
 * again: a service that started meanwhile would be left without it and refuse every login.
 */
export function openSshd(
  argv: readonly string[],
  run: (argv: readonly string[]) => Promise<CommandResult>,
  { fs, runFolder }: { fs: FileSystem; runFolder?: string },
): Sshd {
  const runSshd = (args: string[]) => {
    if (runFolder !== undefined) makeFolder(fs, runFolder)
    return run([...argv, ...args])
  }
  return {
    async test() {
      const result = await runSshd(['-t'])
      return result.code === 0 ? { ok: true } : { ok: false, message: complaint(result) }
    },
    async effective({ user, addr }) {
      const result = await runSshd(['-T', '-C', `user=${user},host=${addr},addr=${addr}`])
      if (result.code !== 0) throw new Error(`sshd -T failed: ${complaint(result)}`)
      return parseEffectiveConfig(result.stdout)
    },
  }
}

// sshd ends with a summary line; the line that says what is wrong comes before it.
function complaint({ stderr, code }: CommandResult): string {
  const lines = stderr.split('\n').map(line => line.trim())
  const telling = lines.filter(line => line !== '' && !/terminating, \d+ bad/.test(line))
  return telling.join('; ') || `exit code ${code}`
}

function makeFolder(fs: FileSystem, path: string): void {
  try {
    fs.mkdirSync(path, 0o755)
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error
  }
}
