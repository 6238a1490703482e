import { once } from 'node:events'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Outcome } from '../../core/outcome/outcome.ts'
import type { HostStatus } from '../../core/report/host-status.ts'
import { fairSeats, peerOf } from '../../http/fair-seats.ts'
import { serverOptions } from '../../http/server-options.ts'
import { answerRotation } from './answer-rotation.ts'
import { type SignedParts, saysTooLarge } from './answer-signed.ts'
import { answerStatus } from './answer-status.ts'
import { LIMITS, type Limits } from './limits.ts'
import type { ReplayMemory } from './replay-memory.ts'
import { type Reply, refusal, sendReply } from './reply.ts'
import { type Routes, route } from './route.ts'

export interface WebhookOptions {
  /** A listening descriptor from systemd, or what to bind. */
  listen: { fd: number } | { host: string; port: number }
  /** From `parseWebhookSecrets`; with none there are only health and metrics. */
  secrets: readonly string[]
  /** A rotation is announced: resolves with the end of a cycle that began after this call. */
  hint(): Promise<Outcome>
  /** What is told to whoever asks with the secret. */
  status(): Promise<HostStatus>
  replay: Pick<ReplayMemory, 'note'>
  /** In the text format of Prometheus. */
  metrics(): Promise<string>
  /** How this host is; 503 where it is not `ok`. */
  health(): Promise<{ ok: boolean }>
  /** In PEM. */
  tls?: { cert: string; key: string }
  /** Called for every answer, with nothing in it that the request held. */
  onAnswer?(answer: Answered): void
  /** Called with what went wrong on our side. */
  onError(error: unknown): void
  /** Called when the last connection is gone. */
  onIdle?(): void
  limits?: Partial<Limits>
}

/** An answer, for the log. */
export interface Answered {
  status: number
  /** Why it is a refusal; the sender is told no more than its `code`. */
  why?: string
  /** The address of the peer. */
  from?: string
}

export interface WebhookListener {
  address: AddressInfo
  /** Whether anybody is connected. To close while this is false cuts nobody off. */
  busy(): boolean
  /**
   * Accepts no more, and resolves when all are gone. Requests in flight have `graceMs` to end; then
   * those that wait for a cycle are answered 202, and who is still there is cut off.
   */
  close(graceMs?: number): Promise<void>
}

const FAILED = refusal(500, 'failed', 'something went wrong; see the host’s log')
/** For answers that are on their way when the grace is over, in milliseconds. */
const LAST_WORDS_MS = 250

/** A peer that is gone is no trouble of ours. */
const ignore = () => {}

/**
 * Serves the webhook (Standard Webhooks 1.0.0), health and metrics on one port. Rejects where
 * it can't listen, with the error of listen(2) or of the TLS library.
 */
export async function openWebhook(options: WebhookOptions): Promise<WebhookListener> {
  const limits = { ...LIMITS, ...options.limits }
  const server = createServer(options.tls, limits)
  const hurry = new AbortController()
  // Who has shown the secret, and waits for the cycle.
  const believed = new Set<string>()
  const routes = routesOf(options, limits, hurry.signal, believed)
  let closing: Promise<void> | undefined
  const connections = new Set<Socket>()
  const seats = fairSeats(limits.connections)

  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    const peer = peerOf(request.socket)
    const reply = await route(request, routes).catch((error): Reply => {
      options.onError(error)
      return FAILED
    })
    believed.delete(peer)
    if (reply === undefined || response.destroyed) return
    const { status, why } = reply
    const from = request.socket.remoteAddress
    options.onAnswer?.({
      status,
      ...(why === undefined ? {} : { why }),
      ...(from === undefined ? {} : { from }),
    })
    await sendReply(request, response, reply, closing !== undefined)
  }
  // Nobody's request ends the process.
  const onRequest = (request: IncomingMessage, response: ServerResponse) => {
    response.on('error', ignore)
    serve(request, response).catch(error => {
      options.onError(error)
      response.destroy()
    })
  }
  server.on('request', onRequest)
  // Who asks first whether to send a body is spared sending one that is too large. RFC 9110 §10.1.1.
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    if (!saysTooLarge(request)) response.writeContinue()
    onRequest(request, response)
  })
  server.on('connection', (socket: Socket) => {
    const peer = peerOf(socket)
    const giveBack = seats.take({
      address: socket.remoteAddress,
      isIdle: () => !believed.has(peer),
      leave: () => socket.destroy(),
    })
    if (giveBack === undefined) return void socket.destroy()
    connections.add(socket)
    socket.once('close', () => {
      giveBack()
      connections.delete(socket)
      if (connections.size === 0) options.onIdle?.()
    })
  })
  server.listen(options.listen)
  await once(server, 'listening')
  server.on('error', options.onError)

  return {
    address: server.address() as AddressInfo,
    busy: () => connections.size > 0,
    close(graceMs = 5_000) {
      closing ??= new Promise(resolve => {
        const timers = [
          setTimeout(() => hurry.abort(), graceMs),
          // Also those in the middle of a handshake, which Node's closeAllConnections() leaves.
          setTimeout(() => {
            for (const socket of connections) socket.destroy()
          }, graceMs + LAST_WORDS_MS),
        ]
        server.close(() => {
          timers.forEach(clearTimeout)
          resolve()
        })
      })
      return closing
    },
  }
}

type Verifier = ReturnType<typeof import('../../http/webhook-signature.ts').createVerifier>

function routesOf(
  options: WebhookOptions,
  limits: Limits,
  hurry: AbortSignal,
  believed: Set<string>,
): Routes {
  const { secrets, replay, hint, onError, health, metrics } = options
  if (secrets.length === 0) return { health, metrics }
  const { answerWithinMs } = limits
  let verifier: Promise<Verifier> | undefined
  const verify: SignedParts['verify'] = async (headers, payload) => {
    verifier ??= import('../../http/webhook-signature.ts').then(({ createVerifier }) =>
      createVerifier(secrets),
    )
    return (await verifier)(headers, payload)
  }
  const parts = { verify, replay, onError }
  const rotation: Routes['rotation'] = request =>
    answerRotation(request, {
      ...parts,
      answerWithinMs,
      hurry,
      hint() {
        believed.add(peerOf(request.socket))
        return hint()
      },
    })
  const status: Routes['status'] = request =>
    answerStatus(request, { ...parts, status: options.status })
  return { rotation, status, health, metrics }
}

// Not imported: an import of node:http as a module reads every export of it, and the one named
// WebSocket loads undici, 30 ms and 14 MB.
function createServer(tls: WebhookOptions['tls'], limits: Limits): Server {
  const shared = serverOptions(limits)
  const server =
    tls === undefined
      ? process.getBuiltinModule('node:http').createServer(shared)
      : process.getBuiltinModule('node:https').createServer({
          ...shared,
          ...tls,
          handshakeTimeout: limits.headersMs,
        })
  server.timeout = limits.silenceMs
  return server
}
