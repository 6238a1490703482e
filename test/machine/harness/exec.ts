// Commands inside a host, entered by nsenter(1).

import { spawn } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'
import { execa } from 'execa'

export interface ExecOptions {
  input?: string
  /** Beside PATH, HOME, TERM and LC_ALL; nothing of the outside environment gets in. */
  env?: Record<string, string>
  /** Whom to run as, by name; root if not given. */
  user?: string
  /** Return a code other than 0 instead of throwing. */
  allowFail?: boolean
  /** The command is killed, and the call throws, after so long; 60 s if not given. */
  timeoutMs?: number
}

export interface ExecResult {
  code: number
  stdout: string
  stderr: string
}

/** A command as a list of arguments, or as a line for `sh -c`. */
export type Command = string | readonly string[]

const environment = (user: string | undefined) => ({
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  TERM: 'dumb',
  LC_ALL: 'C.UTF-8',
  ...(user === undefined && { HOME: '/root' }),
})

/** Runs a command in the host of which `init` is process 1. Throws with all its output. */
export async function execInside(
  init: number,
  command: Command,
  { input, env, user, allowFail = false, timeoutMs = 60_000 }: ExecOptions = {},
): Promise<ExecResult> {
  const [file, ...args] = entering(init, command, user)
  const result = await execa(file, args, {
    env: { ...environment(user), ...env },
    extendEnv: false,
    reject: false,
    stripFinalNewline: false,
    timeout: timeoutMs,
    ...(input === undefined ? { stdin: 'ignore' as const } : { input }),
  })
  const { exitCode, stdout, stderr } = result
  if (exitCode === undefined || (exitCode !== 0 && !allowFail)) {
    const line = typeof command === 'string' ? command : command.join(' ')
    const reason = result.timedOut ? `timed out after ${timeoutMs} ms` : `exit code ${exitCode}`
    throw new Error(`${line}\n${reason}\n${stdout}${stderr}`, { cause: result })
  }
  return { code: exitCode, stdout, stderr }
}

/** A process that was left running. */
export interface Running {
  readonly stdin: Writable
  readonly stdout: Readable
  readonly stderr: Readable
  /** Kills it at once. Nothing softer goes through nsenter. */
  kill(): void
  /** Settles when it has left, however it did; what it printed is kept. 137 where it was killed. */
  readonly done: Promise<ExecResult>
}

/** Starts a command in the host and leaves it running; it is killed with the host at the latest. */
export function spawnInside(
  init: number,
  command: Command,
  { env, user }: Pick<ExecOptions, 'env' | 'user'> = {},
): Running {
  return start(entering(init, command, user), { ...environment(user), ...env })
}

/**
 * Starts a program of the outside machine, which sees the outside's files and environment, in the
 * host's network.
 */
export function spawnInNetwork(init: number, argv: readonly string[]): Running {
  const enter = ['nsenter', '-t', String(init), '--net', 'setpriv', '--pdeathsig', 'KILL'] as const
  return start([...enter, ...argv], process.env)
}

function start([file, ...args]: readonly [string, ...string[]], env: NodeJS.ProcessEnv): Running {
  const child = spawn(file, args, { env })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', text => {
    stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', text => {
    stderr += text
  })
  // Whoever writes to a process that has left learns it from `done`.
  child.stdin.on('error', () => {})
  const done = new Promise<ExecResult>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', code => resolve({ code: code ?? 137, stdout, stderr }))
  })
  return {
    stdin: child.stdin,
    stdout: child.stdout,
    stderr: child.stderr,
    kill: () => child.kill('SIGKILL'),
    done,
  }
}

// nsenter stays outside as the command's parent, and hands no signal on: with pdeathsig the command
// dies when its nsenter is killed.
function entering(init: number, command: Command, user?: string): [string, ...string[]] {
  const argv = typeof command === 'string' ? ['sh', '-c', command] : command
  const identity = user === undefined ? [] : ['--reuid', user, '--regid', user, '--init-groups']
  const inside = ['setpriv', '--pdeathsig', 'KILL', ...identity, ...argv]
  return ['nsenter', '-t', String(init), '--all', ...inside]
}
