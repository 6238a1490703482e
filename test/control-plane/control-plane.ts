import {
  createServer as createHttpServer,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Behaviour } from './behaviour.ts'
import { hold } from './hold.ts'
import { respond } from './respond.ts'

export interface ControlPlaneOptions {
  tls?: { cert: string; key: string }
  /** Address to listen on; loopback by default. */
  host?: string
  /** 0, the default, takes a free one. */
  port?: number
  /** The host name in `url`, for a certificate's sake. */
  name?: string
  /** Read anew at every request in place of what `setBundle` set. */
  readBundle?: () => string | Buffer | Promise<string | Buffer>
  /** Read anew at every request in place of what `behave` set. */
  readBehaviour?: () => Behaviour | Promise<Behaviour>
  /** Answers instead of every mode, if it returns true. */
  respond?: (request: IncomingMessage, response: ServerResponse) => boolean | Promise<boolean>
}

export interface SeenRequest {
  method: string
  url: string
  headers: IncomingMessage['headers']
  /** The address that it came from. */
  from: string | undefined
}

export interface ControlPlane {
  /** Where the bundle is; every path answers alike. */
  url: string
  port: number
  setBundle(text: string): void
  behave(behaviour: Behaviour): void
  /** Every request so far, oldest first. */
  requests: SeenRequest[]
  /** How many connections are open now. */
  connections(): Promise<number>
  close(): Promise<void>
}

/** A control plane that does as it is told: a real server, so that sockets, TLS and framing are real too. */
export async function startControlPlane(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  let bundle = ''
  let behaviour: Behaviour = { mode: 'normal' }
  const requests: SeenRequest[] = []

  const listener = async (request: IncomingMessage, response: ServerResponse) => {
    const { method = '', url = '', headers } = request
    requests.push({ method, url, headers, from: request.socket.remoteAddress })
    response.on('error', () => {})
    if (await options.respond?.(request, response)) return
    const readMode = async () => (await options.readBehaviour?.()) ?? behaviour
    const readBundle = async () => (await options.readBundle?.()) ?? bundle
    if ((await readMode()).mode === 'normal') await hold(request, response, readBundle)
    await respond(request, response, await readMode(), await readBundle())
  }
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    // A bundle file that is gone, say: the source is broken, not the test.
    listener(request, response).catch(error => {
      if (!response.headersSent) response.writeHead(500)
      response.end(`${error}\n`)
    })
  }
  const server = options.tls ? createHttpsServer(options.tls, answer) : createHttpServer(answer)
  // Clients that refuse our certificate are what the tests are about.
  server.on('tlsClientError', () => {})
  const host = options.host ?? '127.0.0.1'
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(options.port ?? 0, host, resolve)
  })
  const { port } = server.address() as AddressInfo
  const name = options.name ?? (host.includes(':') ? `[${host}]` : host)

  return {
    url: `${options.tls ? 'https' : 'http'}://${name}:${port}/bundle`,
    port,
    setBundle: text => {
      bundle = text
    },
    behave: next => {
      behaviour = next
    },
    requests,
    connections: () =>
      new Promise((resolve, reject) => {
        server.getConnections((error, count) => (error ? reject(error) : resolve(count)))
      }),
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
