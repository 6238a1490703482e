// The real ssh(1), as a person behind Pomerium would reach a host: by certificate and nothing else.

import { execa } from 'execa'
import type { Certificate } from './ssh-ca.ts'

export interface Destination {
  user: string
  host: string
  port: number
  credentials: Certificate
  /** The address to come from. If not given, each call comes from another one of 127.0.0.0/8. */
  from?: string | undefined
  /** What to start ssh with, e.g. `nsenter … --net`. */
  prefix?: readonly string[]
}

/**
 * `refused` only where sshd answered and said no to the certificate: a test that expects a refusal
 * must not pass because nobody listened (`unreachable`).
 */
export type LoginOutcome = 'accepted' | 'refused' | 'unreachable'

export interface LoginResult {
  outcome: LoginOutcome
  /** Accepted, and the command succeeded. */
  ok: boolean
  code: number
  stdout: string
  stderr: string
}

/** Logs in once and runs a command. A refusal is a value. */
export async function sshLogin(to: Destination, command = 'true'): Promise<LoginResult> {
  const [file, ...args] = sshCommand(to, command)
  const options = { reject: false, stdin: 'ignore', timeout: 30_000 } as const
  const { exitCode = 255, stdout, stderr } = await execa(file, args, options)
  const refused = stderr.includes('Permission denied (')
  const outcome = exitCode !== 255 ? 'accepted' : refused ? 'refused' : 'unreachable'
  return { outcome, ok: exitCode === 0, code: exitCode, stdout, stderr }
}

export interface Session extends AsyncDisposable {
  /** Sends a line through the session and back. Rejects if it does not come back in time. */
  echo(line: string, timeoutMs?: number): Promise<void>
  close(): Promise<void>
}

/** Logs in and stays, so that a test can see whether the session survives what happens to sshd. */
export async function openSshSession(to: Destination): Promise<Session> {
  const [file, ...args] = sshCommand(to, 'cat')
  const child = execa(file, args, { reject: false })
  let received = ''
  let closed = false
  let wake = () => {}
  child.stdout.on('data', chunk => {
    received += chunk
    wake()
  })
  const ended = child.then(({ stderr, exitCode }) => {
    closed = true
    wake()
    return `ssh left with ${exitCode}: ${stderr}`
  })
  const session: Session = {
    async echo(line, timeoutMs = 5_000) {
      const deadline = performance.now() + timeoutMs
      if (!closed) child.stdin.write(`${line}\n`)
      while (!received.includes(`${line}\n`)) {
        if (closed) throw new Error(await ended)
        const left = deadline - performance.now()
        if (left <= 0) throw new Error(`no echo of ${line} within ${timeoutMs} ms`)
        await new Promise<void>(resolve => {
          setTimeout(resolve, left).unref()
          wake = resolve
        })
      }
      received = received.slice(received.indexOf(`${line}\n`) + line.length + 1)
    },
    async close() {
      child.kill()
      await ended
    },
    [Symbol.asyncDispose]: () => session.close(),
  }
  child.stdin.on('error', () => {})
  try {
    await session.echo('hello', 15_000)
    return session
  } catch (error) {
    await session.close()
    throw error
  }
}

let calls = 0

// From 9.8 on, sshd shuts out an address for a while after some refused or unfinished logins
// (PerSourcePenalties). Pomerium's address would be one of many; a test's is not, so it changes.
function nextLoopbackAddress(): string {
  calls += 1
  return `127.${100 + (process.pid % 100)}.${(calls >> 8) & 255}.${calls & 255}`
}

function sshCommand(to: Destination, command: string): [string, ...string[]] {
  const options = {
    BatchMode: 'yes',
    BindAddress: to.from ?? nextLoopbackAddress(),
    CertificateFile: to.credentials.certificate,
    ConnectTimeout: '5',
    ControlPath: 'none',
    GlobalKnownHostsFile: '/dev/null',
    IdentitiesOnly: 'yes',
    IdentityAgent: 'none',
    LogLevel: 'ERROR',
    PreferredAuthentications: 'publickey',
    StrictHostKeyChecking: 'no',
    UserKnownHostsFile: '/dev/null',
  }
  const flags = Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`])
  const target = ['-p', String(to.port), '-l', to.user, to.host]
  const ssh = [
    '-F',
    '/dev/null',
    ...flags,
    '-i',
    to.credentials.privateKey,
    ...target,
    '--',
    command,
  ]
  const [first, ...rest] = to.prefix ?? []
  return first === undefined ? ['ssh', ...ssh] : [first, ...rest, 'ssh', ...ssh]
}
