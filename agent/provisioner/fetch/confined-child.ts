import { type ChildProcess, spawn } from 'node:child_process'
import type { Readable } from 'node:stream'
import { plainText } from '../../core/basics/plain-text.ts'
import type { Confinement } from './confinement.ts'
import { closeInherited } from './inherited-descriptors.ts'

export interface ConfinedOptions {
  confinement: Confinement
  environment: Readonly<Record<string, string>>
  /** For its standard input. */
  input: string
  /** Becomes its descriptor 3. */
  descriptor?: number | undefined
  maxAnswerBytes: number
  timeoutMs: number
}

/** What a child said, or why that counts for nothing. `stderr` is cleaned, a line each. */
export type Ended = ({ answer: string } | { problem: string }) & { stderr: string[] }

const MAX_STDERR_BYTES = 4 * 1024

/**
 * Runs a program that may turn against us: in a session of its own, so that no terminal is its to type
 * into (TIOCSTI in ioctl_tty(2)), with three pipes and nothing else of ours, for a limited time and with
 * a limited answer. Whatever it does is a value.
 */
export async function runConfined(
  argv: readonly string[],
  { confinement, environment, input, descriptor, maxAnswerBytes, timeoutMs }: ConfinedOptions,
): Promise<Ended> {
  const [program = '', ...args] = [...confinement.prefix, ...argv]
  closeInherited()
  const child = spawn(program, args, {
    ...confinement.identity,
    detached: true,
    cwd: '/',
    env: environment,
    stdio: ['pipe', 'pipe', 'pipe', ...(descriptor === undefined ? [] : [descriptor])],
  })
  const { promise: broken, resolve: breakOff } = Promise.withResolvers<{ problem: string }>()
  const timer = setTimeout(
    () => breakOff({ problem: `did not end within ${timeoutMs / 1000} s` }),
    timeoutMs,
  )
  child.once('error', error => breakOff({ problem: `could not be started (${error.message})` }))
  const stderr = collect(child.stderr, MAX_STDERR_BYTES)
  const stdout = collect(child.stdout, maxAnswerBytes, () =>
    breakOff({ problem: `answered with more than ${maxAnswerBytes} bytes` }),
  )
  // A child that died early: its exit code tells.
  child.stdin?.on('error', () => {}).end(input)
  const ended = new Promise<{ answer: string } | { problem: string }>(resolve => {
    child.once('close', (code, signal) =>
      resolve(code === 0 ? { answer: stdout() } : { problem: `ended with ${signal ?? code}` }),
    )
  })
  const end = await Promise.race([ended, broken])
  clearTimeout(timer)
  abandon(child)
  return { ...end, stderr: linesOf(stderr()) }
}

/** Keeps the first `most` bytes of a stream, and reads the rest away. */
function collect(stream: Readable | null, most: number, onMore = () => {}): () => string {
  const chunks: Buffer[] = []
  let length = 0
  stream?.on('error', () => {})
  stream?.on('data', (chunk: Buffer) => {
    if (length < most) chunks.push(chunk.subarray(0, most - length))
    length += chunk.length
    if (length > most) onMore()
  })
  return () => Buffer.concat(chunks).toString()
}

// Also what it has left behind, as long as its process group can't be somebody else's.
function abandon(child: ChildProcess): void {
  for (const stream of [child.stdin, child.stdout, child.stderr]) stream?.destroy()
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
  try {
    process.kill(-child.pid, 'SIGKILL')
  } catch {
    child.kill('SIGKILL')
  }
  child.unref()
}

function linesOf(text: string): string[] {
  return text
    .split('\n')
    .map(line => plainText(line).trimEnd())
    .filter(line => line !== '')
}
