import { once } from 'node:events'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { fairSeats, peerOf } from '../../http/fair-seats.ts'
import { serverOptions } from '../../http/server-options.ts'
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

export interface TlsFiles {
  cert: string | Buffer
  key: string | Buffer
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

export interface BundleServer {
  address: AddressInfo
  /** Takes another certificate for the connections to come; throws where it is none. */
  setTls(tls: TlsFiles): void
  /** Answers the held polls, accepts no more, and resolves when all are gone. */
  close(graceMs?: number): Promise<void>
}

const PATIENCE = { headersMs: 5_000, requestMs: 10_000, keepAliveMs: 5_000 }
/** For any byte in either direction, in milliseconds; a held request has its wait on top. */
const SILENCE_MS = 20_000
const CONNECTIONS = 4_096
/** Of all connections so many are kept for those who do not wait. */
const RESERVE = 1 / 8

const ignore = () => {}

/** Serves one bundle. Rejects where it can't listen, with the error of listen(2) or of the TLS library. */
export async function openServer(options: ServerOptions): Promise<BundleServer> {
  const { published, metrics, connections: most = CONNECTIONS } = options
  const server = createServer(options.tls)
  server.timeout = SILENCE_MS
  const sockets = new Set<Socket>()
  const closing = new AbortController()
  const seats = fairSeats(most)
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
      metrics: () => metrics.render(waits.taken(), sockets.size),
    })
    if (response.destroyed) return
    send(request, response, made, closing.signal.aborted)
    metrics.answered(made.status)
    options.onAnswer(describe(request, made.status, performance.now() - start))
  }
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    response.on('error', ignore)
    // Nobody honest asks on behind a question that is held, and the answers would pile up behind it.
    if (waiting.has(peerOf(request.socket))) return void request.socket.destroy()
    // What a GET brings along is read away.
    request.resume()
    serve(request, response).catch(error => {
      options.onError(error)
      response.destroy()
    })
  })
  server.on('connection', (socket: Socket) => {
    const peer = peerOf(socket)
    const giveBack = seats.take({
      address: socket.remoteAddress,
      isIdle: () => !waiting.has(peer),
      leave: () => socket.destroy(),
    })
    if (giveBack === undefined) return void socket.destroy()
    sockets.add(socket)
    // Who went without a word is found out, however long the poll.
    socket.setKeepAlive(true, SILENCE_MS)
    socket.once('close', () => {
      giveBack()
      sockets.delete(socket)
    })
  })
  server.on('tlsClientError', ignore)
  server.listen(options.listen)
  await once(server, 'listening')
  server.on('error', options.onError)

  return {
    address: server.address() as AddressInfo,
    setTls(tls) {
      if ('setSecureContext' in server) (server as SecureServer).setSecureContext(tls)
    },
    close: (graceMs = 5_000) =>
      new Promise(resolve => {
        const cut = setTimeout(() => {
          for (const socket of sockets) socket.destroy()
        }, graceMs)
        server.close(() => {
          clearTimeout(cut)
          resolve()
        })
        closing.abort()
        server.closeIdleConnections()
      }),
  }
}

type SecureServer = Server & { setSecureContext(tls: TlsFiles): void }

// As the webhook's listener: an import of node:http would load undici with it.
function createServer(tls: TlsFiles | undefined): Server {
  const shared = serverOptions(PATIENCE)
  if (tls === undefined) return process.getBuiltinModule('node:http').createServer(shared)
  const { createServer } = process.getBuiltinModule('node:https')
  return createServer({ ...shared, ...tls, handshakeTimeout: PATIENCE.headersMs })
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
