import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { optional } from '../../core/basics/when-defined.ts'
import type { Outcome } from '../../core/outcome/outcome.ts'
import type { HostStatus } from '../../core/report/status-answer.ts'
import { peerOf } from '../../http/fair-seats.ts'
import { openListener } from '../../http/listener.ts'
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

/**
 * Serves the webhook (Standard Webhooks 1.0.0), health and metrics on one port. Rejects where
 * it can't listen, with the error of listen(2) or of the TLS library.
 */
export async function openWebhook(options: WebhookOptions): Promise<WebhookListener> {
  const limits = { ...LIMITS, ...options.limits }
  const hurry = new AbortController()
  // Who has shown the secret, and waits for the cycle.
  const believed = new Set<string>()
  const routes = routesOf(options, limits, hurry.signal, believed)
  let closing: Promise<void> | undefined

  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    const peer = peerOf(request.socket)
    const reply = await route(request, routes).catch((error): Reply => {
      options.onError(error)
      return FAILED
    })
    believed.delete(peer)
    if (reply === undefined || response.destroyed) return
    const { status, why } = reply
    options.onAnswer?.({
      status,
      ...optional('why', why),
      ...optional('from', request.socket.remoteAddress),
    })
    await sendReply(request, response, reply, closing !== undefined)
  }
  const listener = await openListener({
    listen: options.listen,
    tls: options.tls,
    patience: limits,
    silenceMs: limits.silenceMs,
    connections: limits.connections,
    isIdle: peer => !believed.has(peer),
    onRequest: serve,
    wantsBody: request => !saysTooLarge(request),
    onError: options.onError,
    ...optional('onIdle', options.onIdle),
  })
  return {
    address: listener.address,
    busy: () => listener.connections() > 0,
    close(graceMs = 5_000) {
      if (closing !== undefined) return closing
      const hurried = setTimeout(() => hurry.abort(), graceMs)
      closing = listener.close(graceMs + LAST_WORDS_MS).finally(() => clearTimeout(hurried))
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
