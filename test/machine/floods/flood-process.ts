// Runs in a host's network, see flood-suite.ts: sends webhooks of all kinds over so many connections
// at once. On its stdin a line of JSON, `FloodOrder`; on its stdout a line "sent N" for every so many
// answers, and at the end the tally.

import { randomBytes, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { request } from 'node:http'
import { connect } from 'node:net'
import { createInterface } from 'node:readline'
import { Webhook } from 'standardwebhooks'

export interface FloodOrder {
  secret: string
  port: number
  count: number
  connections: number
  /** How often "sent N" is told. */
  everyAnswers: number
}

const KINDS = ['valid', 'forged', 'stale', 'replayed', 'oversized', 'slow'] as const
type Kind = (typeof KINDS)[number]
/** How often each answer came, by kind: a status, `cut` or the code of an error. */
export type Tally = Record<Kind, Record<string, number>>

// Of fifty in a row, so that every kind comes all the time.
const MIX: [Kind, number][] = [
  ['valid', 20],
  ['forged', 10],
  ['stale', 8],
  ['replayed', 8],
  ['oversized', 3],
  ['slow', 1],
]
const ROW = MIX.flatMap(([kind, times]) => Array.from({ length: times }, () => kind))

const [line] = (await once(createInterface({ input: process.stdin }), 'line')) as [string]
const order = JSON.parse(line) as FloodOrder
const stranger = `whsec_${randomBytes(32).toString('base64')}`
/** What was answered well, and is good for a replay. */
const answered: Record<string, string>[] = []
const tally = Object.fromEntries(KINDS.map(kind => [kind, {}])) as Tally

function sign(body: string, secret: string, ageSeconds = 0): Record<string, string> {
  const at = new Date(Date.now() - ageSeconds * 1000)
  const id = `msg_${randomUUID()}`
  return {
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
    'webhook-signature': new Webhook(secret).sign(id, at, body),
  }
}

function post(headers: Record<string, string>, body: string): Promise<string> {
  return new Promise(resolve => {
    const options = { host: '127.0.0.1', port: order.port, path: '/webhook/rotation', agent: false }
    const sent = request({ ...options, method: 'POST', headers }, response => {
      response.resume().once('close', () => resolve(String(response.statusCode)))
    })
    sent.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
    sent.end(body)
  })
}

// Half a head, and then nothing.
function dawdle(): Promise<string> {
  return new Promise(resolve => {
    const socket = connect(order.port, '127.0.0.1')
    let heard = ''
    socket.setEncoding('latin1').on('data', text => {
      heard += text
    })
    socket
      .on('error', () => {})
      .once('close', () => {
        resolve(/^HTTP\/1\.1 (\d+)/.exec(heard)?.[1] ?? 'cut')
      })
    socket.write('POST /webhook/rotation HTTP/1.1\r\nhost: x\r\n')
  })
}

async function send(kind: Kind): Promise<string> {
  switch (kind) {
    case 'forged':
      return post(sign('{}', stranger), '{}')
    case 'stale':
      return post(sign('{}', order.secret, 600), '{}')
    case 'replayed': {
      const headers = answered[Math.floor(Math.random() * answered.length)]
      return headers === undefined ? post(sign('{}', stranger), '{}') : post(headers, '{}')
    }
    case 'oversized': {
      const body = `"${'x'.repeat(17 * 1024)}"`
      return post(sign(body, order.secret), body)
    }
    case 'slow':
      return dawdle()
    case 'valid': {
      const headers = sign('{}', order.secret)
      const status = await post(headers, '{}')
      if (status === '200' || status === '202') answered.push(headers)
      return status
    }
  }
}

let next = 0
let done = 0
async function keepSending(): Promise<void> {
  while (next < order.count) {
    // A step that shares no factor with the row's length: the kinds are mixed, and in their shares.
    const kind = ROW[(next++ * 7) % ROW.length] as Kind
    const answer = await send(kind)
    tally[kind][answer] = (tally[kind][answer] ?? 0) + 1
    done += 1
    if (done % order.everyAnswers === 0) process.stdout.write(`sent ${done}\n`)
  }
}
await Promise.all(Array.from({ length: order.connections }, keepSending))
process.stdout.write(`${JSON.stringify(tally)}\n`)
