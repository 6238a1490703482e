import { once } from 'node:events'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { fairSeats, peerOf } from './fair-seats.ts'
import { type Patience, serverOptions } from './server-options.ts'

export interface ListenerOptions {
  /** A listening descriptor from systemd, or what to bind. */
  listen: { fd: number } | { host: string; port: number }
  tls?: TlsFiles | undefined
  patience: Patience
  /** For any byte in either direction, in milliseconds. */
  silenceMs: number
  /** How many connections are borne; where all are taken, one that is idle goes. */
  connections: number
  /** Whether little is lost if this peer's connection goes. */
  isIdle(peer: string): boolean
  onRequest(request: IncomingMessage, response: ServerResponse): Promise<void>
  /** Whether whoever asks first is to send the body (RFC 9110 §10.1.1). */
  wantsBody?(request: IncomingMessage): boolean
  onConnection?(socket: Socket): void
  /** The last connection is gone. */
  onIdle?(): void
  /** Called with what went wrong on our side. */
  onError(error: unknown): void
}

/** In PEM. */
export interface TlsFiles {
  cert: string | Buffer
  key: string | Buffer
}

export interface Listener {
  address: AddressInfo
  connections(): number
  /** Takes another certificate for the connections to come; throws where it is none. */
  setTls(tls: TlsFiles): void
  /** Accepts no more, and resolves when all are gone; who is still there after `graceMs` is cut off. */
  close(graceMs: number): Promise<void>
}

/** A peer that is gone is no trouble of ours. */
const ignore = () => {}

/**
 * A server over HTTP, or HTTPS with `tls`, that no request ends and no network fills alone. Rejects where it
 * can't listen, with the error of listen(2) or of the TLS library.
 */
export async function openListener(options: ListenerOptions): Promise<Listener> {
  const { onError } = options
  const server = createServer(options)
  server.timeout = options.silenceMs
  const sockets = new Set<Socket>()
  const seats = fairSeats(options.connections)

  const onRequest = (request: IncomingMessage, response: ServerResponse) => {
    response.on('error', ignore)
    options.onRequest(request, response).catch(error => {
      onError(error)
      response.destroy()
    })
  }
  server.on('request', onRequest)
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    if (options.wantsBody?.(request) ?? true) response.writeContinue()
    onRequest(request, response)
  })
  server.on('connection', (socket: Socket) => {
    const peer = peerOf(socket)
    const giveBack = seats.take({
      address: socket.remoteAddress,
      isIdle: () => options.isIdle(peer),
      leave: () => socket.destroy(),
    })
    if (giveBack === undefined) return void socket.destroy()
    sockets.add(socket)
    options.onConnection?.(socket)
    socket.once('close', () => {
      giveBack()
      sockets.delete(socket)
      if (sockets.size === 0) options.onIdle?.()
    })
  })
  server.on('tlsClientError', ignore)
  server.listen(options.listen)
  await once(server, 'listening')
  server.on('error', onError)

  return {
    address: server.address() as AddressInfo,
    connections: () => sockets.size,
    setTls(tls) {
      if ('setSecureContext' in server) (server as SecureServer).setSecureContext(tls)
    },
    close: graceMs =>
      new Promise(resolve => {
        // Also those in the middle of a handshake, which Node's closeAllConnections() leaves.
        const cut = setTimeout(() => {
          for (const socket of sockets) socket.destroy()
        }, graceMs)
        server.close(() => {
          clearTimeout(cut)
          resolve()
        })
      }),
  }
}

type SecureServer = Server & { setSecureContext(tls: TlsFiles): void }

// Not imported: an import of node:http as a module reads every export of it, and the one named
// WebSocket loads undici, 30 ms and 14 MB.
function createServer({ tls, patience }: ListenerOptions): Server {
  const shared = serverOptions(patience)
  if (tls === undefined) return process.getBuiltinModule('node:http').createServer(shared)
  const { createServer } = process.getBuiltinModule('node:https')
  return createServer({ ...shared, ...tls, handshakeTimeout: patience.headersMs })
}
