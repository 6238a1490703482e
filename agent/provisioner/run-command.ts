// Not by execa: its modules cost the start of the root wing 30 ms, and execFile does all that is asked.
import { type ExecFileException, execFile } from 'node:child_process'

export interface CommandResult {
  /** The exit code; 127 where the program could not be started, 124 where it took too long. */
  code: number
  stdout: string
  stderr: string
}

const TIMEOUT_MS = 30_000

/** Runs a program without a shell, with a bare environment; a non-zero exit is a value, not an error. */
export function runCommand(
  argv: readonly string[],
  { timeoutMs = TIMEOUT_MS }: { timeoutMs?: number } = {},
): Promise<CommandResult> {
  const [program = '', ...args] = argv
  const options = {
    env: { PATH: SYSTEM_PATH, LC_ALL: 'C' },
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
    maxBuffer: 4 * 1024 * 1024,
  } as const
  return new Promise(resolve => {
    const child = execFile(program, args, options, (error, stdout, stderr) => {
      resolve(resultOf(program, error, stdout.replace(/\n$/, ''), stderr.replace(/\n$/, '')))
    })
    // A program that has left already is none that would read.
    child.stdin?.on('error', () => {}).end()
  })
}

function resultOf(
  program: string,
  error: ExecFileException | null,
  stdout: string,
  stderr: string,
): CommandResult {
  if (error === null) return { code: 0, stdout, stderr }
  if (tookTooLong(error)) return { code: 124, stdout, stderr: `${program} did not end in time` }
  if (typeof error.code === 'number') return { code: error.code, stdout, stderr }
  return { code: 127, stdout, stderr: stderr || error.message }
}

// `killed` is also said of a program that printed too much, with a code of its own.
function tookTooLong(error: ExecFileException): boolean {
  return error.killed === true && typeof error.code !== 'string'
}

const SYSTEM_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
