import type { Connection } from '../../core/host/trust-proofs.ts'
import { showBytes } from '../../core/sshd-config/bytes.ts'
import {
  type EffectiveConfig,
  parseEffectiveConfig,
} from '../../core/sshd-config/effective-config.ts'
import { errorCode, type FileSystem, isThere } from '../files/file-system.ts'
import type { CommandResult, Run } from '../processes/run-command.ts'
import { recent } from '../processes/short-cache.ts'

/** The sshd of this host, asked about its configuration; nothing here changes anything. */
export interface Sshd {
  /** Whether sshd could start with the configuration on disk; `sshd -t`. */
  test(): Promise<{ ok: true } | { ok: false; message: string }>
  /** What sshd would use for a connection, or for one of nobody in particular; `sshd -T -C`. */
  effective(connection: Partial<Connection>): Promise<EffectiveConfig>
  /** As the program says it; `sshd -V`. */
  version(): Promise<{ major: number; minor: number } | undefined>
}

/** An sshd that remembers for a moment what it was asked. */
export interface RecentSshd extends Sshd {
  /** That of nobody in particular, as it was asked within the last second, or asked anew. */
  lately(): Promise<EffectiveConfig>
}

const SSHD_PATHS = ['/usr/sbin/sshd', '/usr/local/sbin/sshd', '/usr/bin/sshd']

export function findSshd(fs: FileSystem, at: (path: string) => string): string | undefined {
  return SSHD_PATHS.find(path => isThere(fs, at(path)))
}

/** The options of a listening sshd that decide what it reads: `-f` and `-o` (sshd(8)). */
export function configOptions(argv: readonly string[]): string[] {
  const options: string[] = []
  for (let at = 1; at < argv.length; at++) {
    const word = argv[at] ?? ''
    if (!/^-[A-Za-z0-9]*[fo]/.test(word)) continue
    options.push(word)
    if (/^-[A-Za-z0-9]*[fo]$/.test(word)) options.push(argv[++at] ?? '')
  }
  return options
}

/** The texts behind each `-o`: lines as they may stand in sshd_config. */
export function optionLines(options: readonly string[]): string[] {
  return options.flatMap((option, index) => {
    const value = /^-[A-Za-eg-np-z0-9]*o(.*)$/s.exec(option)?.[1]
    if (value === undefined || isValue(options, index)) return []
    return [value === '' ? (options[index + 1] ?? '') : value]
  })
}

// `-o -odd`: what follows an option without a value is its value, whatever it looks like.
function isValue(options: readonly string[], index: number): boolean {
  const before = options[index - 1] ?? ''
  return /^-[A-Za-z0-9]*[fo]$/.test(before) && !isValue(options, index - 1)
}

/** The file that sshd starts from, by its options: that of `-f`, if any. */
export function configFile(options: readonly string[]): string | undefined {
  const at = options.findIndex(option => /^-[A-Za-z0-9]*f/.test(option))
  const word = options[at] ?? ''
  const value = word.slice(word.indexOf('f') + 1)
  return at === -1 ? undefined : value === '' ? options[at + 1] : value
}

/**
 * `argv` is sshd with the options that name its configuration, without `-t` or `-T`.
 * sshd fails these where its privilege separation folder is missing, as it is while the service is
 * stopped; that is no fault of the configuration, so `runFolder` is made first. It is never removed
 * again: a service that started meanwhile would be left without it and refuse every login.
 */
export function openSshd(
  argv: readonly string[],
  run: Run,
  { fs, runFolder, now = Date.now }: { fs: FileSystem; runFolder?: string; now?: () => number },
): RecentSshd {
  const last = recent<EffectiveConfig>(now)
  const runSshd = async (args: string[]) => {
    if (runFolder !== undefined) makeRunFolder(fs, runFolder)
    const result = await run([...argv, ...args], { encoding: 'latin1' })
    // A stop of the service by somebody else may have taken it away in between.
    const missing = /Missing privilege separation directory/.test(result.stderr)
    if (!missing || runFolder === undefined) return result
    makeRunFolder(fs, runFolder)
    return run([...argv, ...args], { encoding: 'latin1' })
  }
  const sshd: RecentSshd = {
    async test() {
      const result = await runSshd(['-t'])
      return result.code === 0 ? { ok: true } : { ok: false, message: complaint(result) }
    },
    async effective({ user, addr }) {
      // What is left out keeps a Match on it from matching; but sshd insists on a port where one asks.
      const who = user === undefined ? [] : [`user=${user}`]
      const from = addr === undefined ? [] : [`host=${addr}`, `addr=${addr}`, `laddr=${addr}`]
      const askedAt = now()
      const result = await runSshd(['-T', '-C', [...who, ...from, 'lport=1'].join(',')])
      if (result.code !== 0) throw new Error(`sshd -T failed: ${complaint(result)}`)
      const effective = parseEffectiveConfig(result.stdout)
      if (user === undefined && addr === undefined) last.keep(effective, askedAt)
      return effective
    },
    lately: async () => last.get() ?? sshd.effective({}),
    async version() {
      // Older ones do not know -V, and print it with their usage.
      const { stdout, stderr } = await run([...argv, '-V'])
      const match = /OpenSSH_(\d+)\.(\d+)/.exec(stdout + stderr)
      return match === null ? undefined : { major: Number(match[1]), minor: Number(match[2]) }
    },
  }
  return sshd
}

// sshd ends with a summary line; the line that says what is wrong comes before it.
function complaint({ stderr, code }: CommandResult): string {
  const lines = stderr.split('\n').map(line => showBytes(line.trim()))
  const telling = lines.filter(line => line !== '' && !/terminating, \d+ bad/.test(line))
  return telling.join('; ') || `exit code ${code}`
}

// An image may be mounted read-only: sshd tells by itself that it is missing.
function makeRunFolder(fs: FileSystem, path: string): void {
  try {
    fs.mkdirSync(path, 0o755)
  } catch (error) {
    if (['EEXIST', 'EROFS'].includes(errorCode(error) ?? '')) return
    throw error
  }
  const fd = fs.openSync(path, 'r')
  try {
    // mkdir(2) takes the umask off the mode.
    fs.fchmodSync(fd, 0o755)
  } finally {
    fs.closeSync(fd)
  }
}
