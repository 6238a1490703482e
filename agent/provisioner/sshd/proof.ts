import type { ProcessTable } from '../processes/process-table.ts'
import type { Listener } from './listener.ts'
import { listeningPorts } from './listening.ts'
import { type Clock, ServiceError } from './ssh-service.ts'

/** How long sshd may take until it listens, after the init has said that it runs. */
const PATIENCE_MS = 10_000
/** The same where there is no process at all, as there is from the start on. */
const ABSENT_MS = 3_000
const LOOK_EVERY_MS = 25
/** An sshd before 8.2 does not say when it listens: it must have stayed up for so long. */
const SETTLED_MS = 500

/** What must be so again after a restart. */
export interface Expected {
  /** The process that must be gone. */
  pid?: number
  /** The ports of which all must listen; with none, one of `candidates` must. */
  ports: readonly number[]
  /** The ports that sshd is configured to listen on; empty where that is not known. */
  candidates: readonly number[]
}

/**
 * What to expect, from the host before a restart. A configured port that nobody listened on before
 * (its address is not up) does not count against the restart.
 */
export function expectAgain(
  processes: ProcessTable,
  pid: number | undefined,
  candidates: readonly number[],
): Expected {
  if (pid === undefined) return { ports: [], candidates }
  const before = listeningPorts(processes, pid, candidates)
  return { pid, ports: candidates.filter(port => before.includes(port)), candidates }
}

/**
 * Waits until a new sshd listens as expected; `find` looks for it, may throw to give up, and may find that
 * it is `stopped`, and is to be.
 */
export async function proveListening(
  find: () => Promise<Listener | 'stopped' | undefined>,
  expected: Expected,
  processes: ProcessTable,
  clock: Clock,
): Promise<void> {
  const start = clock.now()
  let since: { pid: number; at: number } | undefined
  for (;;) {
    const listener = await find()
    if (listener === 'stopped') return
    if (listener !== undefined && since?.pid !== listener.pid) {
      since = { pid: listener.pid, at: clock.now() }
    }
    const doubt = doubtOf(listener, expected, processes)
    const settled = listener?.announced || clock.now() - (since?.at ?? start) >= SETTLED_MS
    if (doubt === undefined && settled) return
    const patience = listener === undefined ? ABSENT_MS : PATIENCE_MS
    if (clock.now() - start > patience || clock.now() < start) {
      throw new ServiceError('not-listening', doubt ?? 'sshd does not stay up')
    }
    await clock.sleep(LOOK_EVERY_MS)
  }
}

function doubtOf(
  listener: Listener | undefined,
  { pid, ports, candidates }: Expected,
  processes: ProcessTable,
): string | undefined {
  if (listener === undefined) return 'no sshd listens after the restart'
  if (listener.pid === pid) return `the old sshd (process ${pid}) still runs after the restart`
  const now = listeningPorts(processes, listener.pid, ports.length > 0 ? ports : candidates)
  const missing = ports.filter(port => !now.includes(port))
  if (missing.length > 0) return `nothing listens on port ${missing.join(', ')} after the restart`
  if (candidates.length > 0 && !candidates.some(port => now.includes(port))) {
    return `nothing listens on port ${candidates.join(' or ')} after the restart`
  }
  return now.length === 0 ? 'nothing listens on any port after the restart' : undefined
}
