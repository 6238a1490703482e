import { execa } from 'execa'

export interface CommandResult {
  /** The exit code; 127 where the program could not be started, 124 where it took too long. */
  code: number
  stdout: string
  stderr: string
}

/** How a command is run; `runCommand`, in earnest. */
export type Run = (argv: readonly string[], options?: RunOptions) => Promise<CommandResult>

export interface RunOptions {
  timeoutMs?: number
  /** What it prints is UTF-8 if not given; `latin1` keeps bytes as they are. */
  encoding?: 'utf8' | 'latin1'
  /** Its standard input; nothing if not given. */
  input?: Uint8Array
}

const TIMEOUT_MS = 30_000

/** Runs a program without a shell, with a bare environment; a non-zero exit is a value, not an error. */
export async function runCommand(
  argv: readonly string[],
  { timeoutMs = TIMEOUT_MS, encoding = 'utf8', input }: RunOptions = {},
): Promise<CommandResult> {
  const [program = '', ...args] = argv
  const result = await execa(program, args, {
    reject: false,
    ...(input === undefined ? { stdin: 'ignore' } : { input }),
    encoding,
    // As an sshd that runs has it: what its configuration names starts there where it is relative.
    cwd: '/',
    extendEnv: false,
    env: { PATH: SYSTEM_PATH, LC_ALL: 'C' },
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
    maxBuffer: 4 * 1024 * 1024,
  })
  const { stdout, stderr } = result
  if (result.timedOut) return { code: 124, stdout, stderr: `${program} did not end in time` }
  if (result.exitCode === undefined) {
    return {
      code: 127,
      stdout,
      stderr: stderr || result.shortMessage || `${program} did not start`,
    }
  }
  return { code: result.exitCode, stdout, stderr }
}

/** Where root's programs are. */
export const SYSTEM_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
