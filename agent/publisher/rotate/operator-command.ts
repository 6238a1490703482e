import { execa } from 'execa'

/** For a person to sign in, or a slow store to take a file, in milliseconds. */
const PATIENCE_MS = 5 * 60_000
/** For what is still in the pipes when the command has ended, in milliseconds. */
const GRACE_MS = 500

export interface CommandEnd {
  /** All that it printed. */
  all: string
  stderr: string
  /** Why it does not count, in words; `undefined` where it ended well. */
  failure: string | undefined
}

/**
 * Runs a command of the operator's by `sh -c`, for five minutes at most. `shown`: people see what it
 * prints and can answer. It has ended when its shell has: an ssh that stays behind as a master
 * (ControlPersist, ssh_config(5)) holds the pipes open for as long as it likes.
 */
export async function runOperatorCommand(
  command: string,
  env: Record<string, string>,
  { shown, patienceMs = PATIENCE_MS }: { shown: boolean; patienceMs?: number },
): Promise<CommandEnd> {
  const running = execa('sh', ['-c', command], {
    reject: false,
    all: true,
    stdin: shown && process.stdin.isTTY === true ? 'inherit' : 'ignore',
    // Pomerium asks people to open a page, and they must see it.
    stdout: shown ? [process.stderr, 'pipe'] : 'pipe',
    stderr: shown ? ['inherit', 'pipe'] : 'pipe',
    timeout: patienceMs,
    env,
  })
  const { nodeChildProcess, stdout, stderr } = running
  nodeChildProcess.once('exit', () => {
    setTimeout(() => {
      stdout.destroy()
      stderr.destroy()
    }, GRACE_MS).unref()
  })
  const ended = await running
  const failure = ended.timedOut
    ? 'did not end within 5 minutes'
    : ended.exitCode === 0
      ? undefined
      : `failed (exit code ${ended.exitCode})`
  return { all: ended.all, stderr: ended.stderr, failure }
}
