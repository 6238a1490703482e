import { createServer, type Socket } from 'node:net'
import { messageOf } from '../../core/outcome/failures.ts'
import type { Outcome } from '../../core/outcome/outcome.ts'
import {
  decodeRequest,
  encodeReply,
  MAX_REQUEST_BYTES,
  type ProvisionReply,
  type ProvisionRequest,
} from '../../core/protocol/provision-protocol.ts'
import { readLine } from './read-line.ts'

export interface Serving {
  /** Where requests come in: a descriptor from systemd, or a path to bind. */
  listen: { fd: number } | { path: string }
  handle(request: ProvisionRequest): Promise<Outcome>
  /** Called when somebody connects while nothing is to be done: a request is about to come. */
  onKnock?(): void
  /** Milliseconds with nothing to do after which this leaves; stays if not given. */
  idleMs?: number
  /** Leaves when it is aborted: what has begun is finished, what has not is not answered. */
  signal?: AbortSignal
  /** How long a peer may take for its request, in milliseconds. */
  requestMs: number
  /** Called once requests are heard. */
  onListening?: () => void
}

const MAX_CONNECTIONS = 16
/** For a peer to read its answer and hang up, in milliseconds. */
const LAST_WORDS_MS = 1000

/**
 * Serves one request at a time, one on each connection, and returns when there has been nothing to
 * do for a while. A request that is none changes nothing and harms nobody else's. What throws is a
 * bug: the peer is told, and this throws too.
 */
export function serveRequests(serving: Serving): Promise<void> {
  const { signal, idleMs } = serving
  return new Promise((resolve, reject) => {
    const open = new Set<Socket>()
    let turn: Promise<void> = Promise.resolve()
    let working = 0
    let idle: NodeJS.Timeout | undefined
    const leave = (end: () => void) => {
      clearTimeout(idle)
      server.close(end)
      for (const socket of open) socket.destroy()
    }
    const rest = () => {
      clearTimeout(idle)
      // Whoever leaves hangs up on all, and waits for nobody any more: no timer may keep the process.
      if (idleMs === undefined || open.size > 0 || !server.listening) return
      idle = setTimeout(() => leave(resolve), idleMs)
    }
    const server = createServer({ allowHalfOpen: true }, socket => {
      clearTimeout(idle)
      open.add(socket)
      if (working === 0) serving.onKnock?.()
      socket.once('close', () => {
        open.delete(socket)
        rest()
      })
      // In turn from when the request is whole: a peer that is slow holds up nobody else.
      readLine(socket, MAX_REQUEST_BYTES, serving.requestMs).then(line => {
        working += 1
        turn = turn
          .then(() => (signal?.aborted ? undefined : answer(socket, line, serving.handle)))
          .catch(error => {
            const reply = encodeReply({ kind: 'failed', message: messageOf(error) })
            socket.end(reply, () => leave(() => reject(error)))
          })
          .finally(() => {
            working -= 1
          })
      })
    })
    signal?.addEventListener('abort', () => turn.finally(() => leave(resolve)), { once: true })
    server.maxConnections = MAX_CONNECTIONS
    server.once('error', reject)
    server.listen(serving.listen, () => {
      serving.onListening?.()
      rest()
    })
  })
}

async function answer(
  socket: Socket,
  line: Awaited<ReturnType<typeof readLine>>,
  handle: Serving['handle'],
): Promise<void> {
  if (line.kind === 'closed') {
    socket.destroy()
    return
  }
  const request = line.kind === 'line' ? decodeRequest(line.text) : undefined
  const reply: ProvisionReply =
    request === undefined
      ? { kind: 'malformed', message: 'not a request: one line of JSON with "op"' }
      : { kind: 'outcome', outcome: await handle(request) }
  socket.end(encodeReply(reply))
  // Who goes on talking is not listened to, and keeps no connection by it.
  const cut = setTimeout(() => socket.destroy(), LAST_WORDS_MS)
  socket.resume().once('close', () => clearTimeout(cut))
}
