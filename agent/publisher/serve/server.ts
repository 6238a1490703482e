import type { IncomingMessage, ServerResponse } from 'node:http'
import { fairSeats, peerOf } from '../../http/fair-seats.ts'
import { type Listener, openListener, type TlsFiles } from '../../http/listener.ts'
import { type Answer, answer } from './answer.ts'
import type { ServerMetrics } from './metrics.ts'
import type { Published } from './published.ts'

export interface ServerOptions {
  listen: { host: string; port: number }
  /** In PEM. */
  tls?: TlsFiles
  published: Published
  /** Whoever does not show it gets 401; `undefined` where anybody may have the bundle. */
  token(): string | undefined
  metrics: ServerMetrics
  /** Called for every answer; nothing in it is a secret. */
  onAnswer(answered: Answered): void
  /** Called with what went wrong on our side. */
  onError(error: unknown): void
  /** How many connections are borne; a held poll is one. */
  connections?: number
}

/** An answer, for the log. */
export interface Answered {
  method: string
  path: string
  status: number
  ms: number
  from?: string
  agent?: string
}

export interface BundleServer extends Pick<Listener, 'address' | 'setTls'> {
  /** Answers the held polls, accepts no more, and resolves when all are gone. */
  close(graceMs?: number): Promise<void>
}

const PATIENCE = { headersMs: 5_000, requestMs: 10_000, keepAliveMs: 5_000 }
/** For any byte in either direction, in milliseconds; a held request has its wait on top. */
const SILENCE_MS = 20_000
const CONNECTIONS = 4_096
/** Of all connections so many are kept for those who do not wait. */
const RESERVE = 1 / 8

/** Serves one bundle. Rejects where it can't listen, with the error of listen(2) or of the TLS library. */
export async function openServer(options: ServerOptions): Promise<BundleServer> {
  const { published, metrics, connections: most = CONNECTIONS } = options
  const closing = new AbortController()
  const waits = fairSeats(most * (1 - RESERVE))
  const waiting = new Set<string>()

  const hold = async (seconds: number, request: IncomingMessage) => {
    const over = new AbortController()
    const end = () => over.abort()
    const address = request.socket.remoteAddress
    const giveBack = waits.take({ address, isIdle: () => false, leave: end })
    if (giveBack === undefined) return false
    const peer = peerOf(request.socket)
    waiting.add(peer)
    const timer = setTimeout(end, seconds * 1000)
    request.socket.setTimeout(seconds * 1000 + SILENCE_MS)
    request.socket.once('close', end)
    closing.signal.addEventListener('abort', end)
    try {
      await published.changed(over.signal)
    } finally {
      clearTimeout(timer)
      request.socket.off('close', end)
      closing.signal.removeEventListener('abort', end)
      request.socket.setTimeout(SILENCE_MS)
      waiting.delete(peer)
      giveBack()
    }
    return true
  }
  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    const start = performance.now()
    const made = await answer(request, {
      published,
      token: options.token,
      hold: seconds => hold(seconds, request),
      metrics: () => metrics.render(waits.taken(), listener.connections()),
    })
    if (response.destroyed) return
    send(request, response, made, closing.signal.aborted)
    metrics.answered(made.status)
    options.onAnswer(describe(request, made.status, performance.now() - start))
  }
  const listener = await openListener({
    listen: options.listen,
    tls: options.tls,
    patience: PATIENCE,
    silenceMs: SILENCE_MS,
    connections: most,
    isIdle: peer => !waiting.has(peer),
    // Who went without a word is found out, however long the poll.
    onConnection: socket => void socket.setKeepAlive(true, SILENCE_MS),
    async onRequest(request, response) {
      // Nobody honest asks on behind a question that is held, and the answers would pile up behind it.
      if (waiting.has(peerOf(request.socket))) return void request.socket.destroy()
      // What a GET brings along is read away.
      request.resume()
      await serve(request, response)
    },
    onError: options.onError,
  })
  return {
    address: listener.address,
    setTls: listener.setTls,
    close(graceMs = 5_000) {
      const closed = listener.close(graceMs)
      closing.abort()
      return closed
    },
  }
}

function send(request: IncomingMessage, response: ServerResponse, made: Answer, last: boolean) {
  const { status, headers, body } = made
  const length = status === 304 ? {} : { 'content-length': Buffer.byteLength(body) }
  response.writeHead(status, { ...headers, ...length, ...(last ? { connection: 'close' } : {}) })
  response.end(request.method === 'HEAD' || status === 304 ? undefined : body)
}

function describe(request: IncomingMessage, status: number, ms: number): Answered {
  const { method = '', url = '', headers, socket } = request
  const agent = headers['user-agent']?.slice(0, 100)
  return {
    method,
    path: (url.split('?')[0] ?? '').slice(0, 100),
    status,
    ms: Math.round(ms),
    ...(socket.remoteAddress === undefined ? {} : { from: socket.remoteAddress }),
    ...(agent === undefined ? {} : { agent }),
  }
}
