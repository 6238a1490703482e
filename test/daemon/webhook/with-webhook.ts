import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { Webhook } from 'standardwebhooks'
import { onTestFinished } from 'vitest'
import type { Outcome } from '../../../agent/core/outcome/outcome.ts'
import type { HostStatus } from '../../../agent/core/report/status-answer.ts'
import { openReplayMemory, type ReplayMemory } from '../../../agent/daemon/webhook/replay-memory.ts'
import {
  type Answered,
  openWebhook,
  type WebhookListener,
  type WebhookOptions,
} from '../../../agent/daemon/webhook/webhook.ts'

export const SECRET = `whsec_${Buffer.alloc(32, 'first').toString('base64')}`
export const OTHER_SECRET = `whsec_${Buffer.alloc(32, 'other').toString('base64')}`

export const OUTCOME: Outcome = {
  outcome: 'applied',
  message: 'this host now trusts 1 CA key',
  steps: [],
  trusted: [{ type: 'ssh-ed25519', fingerprint: 'SHA256:x', comment: 'ca' }],
}

export const STATUS: HostStatus = {
  ...{ ok: true, code: 'in-force', findings: [], message: 'sshd trusts 1 CA key', serial: 3 },
  trusted: [{ type: 'ssh-ed25519', fingerprint: 'SHA256:x', comment: 'ca' }],
  effective: { value: true, at: '2026-11-20T10:00:00.000Z' },
  last: { at: '2026-11-20T10:00:00.000Z', outcome: 'unchanged', message: 'nothing new' },
}

export interface TestWebhook {
  listener: WebhookListener
  port: number
  url: string
  hints: number
  errors: unknown[]
  answers: Answered[]
}

/** A folder that goes when the test is over. */
export function useFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'webhook-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

export function useReplay(folder = useFolder()): ReplayMemory {
  const replay = openReplayMemory({ path: join(folder, 'webhooks') })
  onTestFinished(() => replay.close())
  return replay
}

/** A listener on loopback that closes with the test. */
export async function useWebhook(options: Partial<WebhookOptions> = {}): Promise<TestWebhook> {
  const state = { hints: 0, errors: [] as unknown[], answers: [] as Answered[] }
  const { hint = async () => OUTCOME } = options
  const listener = await openWebhook({
    listen: { host: '127.0.0.1', port: 0 },
    secrets: [SECRET],
    replay: options.replay ?? useReplay(),
    metrics: async () => 'up 1\n',
    health: async () => ({ ok: true }),
    status: async () => STATUS,
    onError: error => state.errors.push(error),
    onAnswer: answer => state.answers.push(answer),
    ...options,
    hint() {
      state.hints += 1
      return hint()
    },
  })
  onTestFinished(() => listener.close(0))
  const { port } = listener.address as AddressInfo
  const scheme = options.tls ? 'https' : 'http'
  return Object.assign(state, { listener, port, url: `${scheme}://127.0.0.1:${port}` })
}

export interface Message {
  id?: string
  body?: string
  secret?: string
  /** Seconds from now. */
  offset?: number
}

let messages = 0

/** The headers of one attempt, signed by the library's own signer. */
export function sign({ id, body = '{}', secret = SECRET, offset = 0 }: Message = {}) {
  messages += 1
  const name = id ?? `msg_${messages}`
  const at = new Date((Math.floor(Date.now() / 1000) + offset) * 1000)
  return {
    'webhook-id': name,
    'webhook-timestamp': String(at.getTime() / 1000),
    'webhook-signature': new Webhook(secret).sign(name, at, body),
  }
}

export function post(url: string, headers: Record<string, string>, body = '{}'): Promise<Response> {
  return fetch(`${url}/webhook/rotation`, { method: 'POST', headers, body })
}

/** Asks how it is; by default as the operator's side does. */
export function ask(
  url: string,
  body = '{"type":"status"}',
  headers: Record<string, string> = sign({ body }),
): Promise<Response> {
  return fetch(`${url}/webhook/status`, { method: 'POST', headers, body })
}

/** A connection that says exactly this, from an address of loopback; its reading side is `text(socket)`. */
export async function say(port: number, bytes: string, from = '127.0.0.1'): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', localAddress: from })
  onTestFinished(() => void socket.destroy())
  await once(socket, 'connect')
  socket.on('error', () => {})
  socket.write(bytes)
  return socket
}

/** What a connection answers until it is closed; a reset ends it too. */
export async function hear(socket: Socket): Promise<string> {
  return text(socket).catch(() => '')
}

export function headLines(headers: Record<string, string>): string {
  return Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('')
}
