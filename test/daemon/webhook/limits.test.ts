import { setTimeout as sleep } from 'node:timers/promises'
import { connect as connectTls } from 'node:tls'
import { describe, expect, test } from 'vitest'
import type { Outcome } from '../../../agent/core/outcome/outcome.ts'
import { makeTestTls } from '../../control-plane/test-tls.ts'
import { headLines, hear, OUTCOME, post, say, sign, useWebhook } from './with-webhook.ts'

const KIB = 1024
const rotation = (headers: Record<string, string>) =>
  `POST /webhook/rotation HTTP/1.1\r\n${headLines({ host: 'x', ...headers })}\r\n`

const announced = () => `${rotation({ 'content-length': '2', connection: 'close', ...sign() })}{}`
const healthz = 'GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n'

describe('a body over 16 KiB', () => {
  test('is refused with 413 by its length; 16 KiB are taken', async () => {
    const webhook = await useWebhook()
    for (const [length, status] of [
      [16 * KIB, 200],
      [16 * KIB + 1, 413],
      [800 * KIB, 413],
    ] as const) {
      const body = 'x'.repeat(length)
      expect((await post(webhook.url, sign({ body }), body)).status).toBe(status)
    }
    expect(webhook).toMatchObject({ hints: 1, errors: [] })
  })

  test('is cut where no length was announced', async () => {
    const webhook = await useWebhook()
    const body = new ReadableStream<Uint8Array>({
      pull: controller => controller.enqueue(new Uint8Array(4 * KIB)),
    })
    const init = { method: 'POST', headers: sign(), body, duplex: 'half' } as const
    // Endless: the answer may be lost in the cut, but the cut comes, and no hint.
    const response = await fetch(`${webhook.url}/webhook/rotation`, init).catch(() => undefined)
    expect([413, undefined]).toContain(response?.status)
    await expect.poll(() => webhook.listener.busy()).toBe(false)
    expect(webhook).toMatchObject({ hints: 0, answers: [{ status: 413, why: 'too-large' }] })
  })

  test('in chunks is answered 413 before the connection is closed', async () => {
    const { port } = await useWebhook()
    const socket = await say(port, rotation({ 'transfer-encoding': 'chunked', ...sign() }))
    for (let chunk = 0; chunk < 8; chunk += 1) socket.write(`1000\r\n${'x'.repeat(0x1000)}\r\n`)
    socket.write('0\r\n\r\n')
    expect(await hear(socket)).toMatch(/^HTTP\/1.1 413 [\s\S]*connection: close/i)
  })

  test('whose length is a lie makes no webhook of the rest', async () => {
    const webhook = await useWebhook()
    const socket = await say(
      webhook.port,
      `${rotation({ 'content-length': '2', ...sign() })}{}${'x'.repeat(20 * KIB)}`,
    )
    const heard = await hear(socket)
    expect(heard.match(/HTTP\/1.1 \d+/g)?.at(-1)).toBe('HTTP/1.1 400')
    expect(webhook.hints).toBeLessThanOrEqual(1)
    expect(webhook.errors).toEqual([])
  })

  test('is not even asked for', async () => {
    const { port } = await useWebhook()
    const ask = (length: number) =>
      say(
        port,
        rotation({
          'content-length': `${length}`,
          expect: '100-continue',
          connection: 'close',
          ...sign(),
        }),
      )
    const large = await ask(17 * KIB)
    large.once('data', () => large.end())
    expect(await hear(large)).toMatch(/^HTTP\/1.1 413 /)
    const small = await ask(2)
    small.once('data', () => small.write('{}'))
    expect(await hear(small)).toMatch(/^HTTP\/1.1 100 Continue[\s\S]*HTTP\/1.1 200 /)
  })
})

describe('a slow client is cut', () => {
  const limits = { headersMs: 150, requestMs: 300, silenceMs: 2_000 }
  test.each([
    ['without a word', ''],
    ['in the middle of the head', 'POST /webhook/rotation HTTP/1.1\r\nhost: x\r\n'],
    ['in the middle of the body', rotation({ 'content-length': '100', ...sign() })],
  ])('%s', async (_, bytes) => {
    const webhook = await useWebhook({ limits })
    const socket = await say(webhook.port, bytes)
    expect(await hear(socket)).toMatch(/^(HTTP\/1.1 408 |$)/)
    expect(webhook).toMatchObject({ hints: 0, errors: [] })
    expect((await post(webhook.url, sign())).status).toBe(200)
  })

  test('also one that keeps talking', async () => {
    const webhook = await useWebhook({ limits })
    const socket = await say(webhook.port, 'POST /webhook/rotation HTTP/1.1\r\n')
    const drip = setInterval(() => socket.write('x: y\r\n'), 20)
    const heard = await hear(socket)
    clearInterval(drip)
    // What it still says may reset the connection, and the answer is lost with it.
    expect(heard).toMatch(/^(HTTP\/1.1 408 |$)/)
  })
})

test('a head over 8 KiB is refused', async () => {
  const { url } = await useWebhook()
  const response = await post(url, { ...sign(), padding: 'x'.repeat(9 * KIB) })
  expect(response.status).toBe(431)
})

test('no more connections than it bears: the oldest idle one goes', async () => {
  const webhook = await useWebhook({ limits: { connections: 2 } })
  const [first, second] = [await say(webhook.port, ''), await say(webhook.port, '')]
  const answer = await hear(await say(webhook.port, healthz))
  expect(answer).toMatch(/^HTTP\/1.1 200 /)
  expect(await hear(first)).toBe('')
  expect(second.closed).toBe(false)
})

describe('an address that holds all connections', () => {
  const ATTACKER = '127.0.0.2'
  const crowd = (port: number, from = ATTACKER, count = 80) =>
    Promise.all(Array.from({ length: count }, () => say(port, 'POST / HTTP/1.1\r\n', from)))

  test.each([
    ['does not keep another out', '127.0.0.3'],
    ['nor whoever has the same address', ATTACKER],
  ])('%s', async (_, from) => {
    const webhook = await useWebhook()
    const held = await crowd(webhook.port)
    const answer = await hear(await say(webhook.port, announced(), from))
    expect(answer).toMatch(/^HTTP\/1.1 200 /)
    expect(webhook).toMatchObject({ hints: 1, errors: [] })
    expect(held.filter(socket => !socket.closed).length).toBeGreaterThanOrEqual(63)
  })

  test.each([
    ['plain', undefined],
    ['over TLS', { hosts: ['127.0.0.1'] }],
  ])('%s: who has shown the secret, and waits, is not displaced', async (_, hosts) => {
    const cycle = Promise.withResolvers<Outcome>()
    const tls = hosts && (await makeTestTls(hosts))
    const options = tls === undefined ? {} : { tls: { cert: tls.cert, key: tls.key } }
    const webhook = await useWebhook({ ...options, hint: () => cycle.promise })
    const plain = await say(webhook.port, '', ATTACKER)
    const socket =
      tls === undefined ? plain : connectTls({ socket: plain, ca: tls.ca, host: '127.0.0.1' })
    socket.on('error', () => {})
    socket.write(announced())
    const answer = hear(socket)
    await expect.poll(() => webhook.hints).toBe(1)
    // All from its own address, and twice as many as there is room for.
    await crowd(webhook.port, ATTACKER, 128)
    cycle.resolve(OUTCOME)
    expect(await answer).toMatch(/^HTTP\/1.1 200 /)
  })

  test('an answered one is idle again', async () => {
    const webhook = await useWebhook()
    const socket = await say(
      webhook.port,
      rotation({ 'content-length': '0', ...sign({ body: '' }) }),
    )
    socket.once('data', () => {})
    await expect.poll(() => webhook.answers.length).toBe(1)
    await crowd(webhook.port, '127.0.0.1', 64)
    await expect.poll(() => socket.closed).toBe(true)
  })
})

test('a client that leaves in the middle harms nobody', async () => {
  const webhook = await useWebhook()
  const socket = await say(webhook.port, rotation({ 'content-length': '100', ...sign() }))
  await sleep(20)
  socket.destroy()
  await expect.poll(() => webhook.listener.busy()).toBe(false)
  expect((await post(webhook.url, sign())).status).toBe(200)
  expect(webhook).toMatchObject({ hints: 1, errors: [] })
})

test('500 webhooks at 32 connections, a fifth of each kind', async () => {
  // A cycle ends when so many wait for it: there are always more connections than that.
  const together = 20
  let cycles = 0
  let waiting: (() => void)[] = []
  const webhook = await useWebhook({
    limits: { answerWithinMs: 60_000, silenceMs: 60_000 },
    async hint() {
      await new Promise<void>(resolve => {
        waiting.push(resolve)
        if (cycles > 0 && waiting.length < together) return
        cycles += 1
        for (const wake of waiting) wake()
        waiting = []
      })
      return OUTCOME
    },
  })
  const replayed = sign({ id: 'replayed' })
  await post(webhook.url, replayed)
  const large = 'x'.repeat(20 * KIB)
  const kinds = [
    () => post(webhook.url, sign()).then(({ status }) => expect(status).toBe(200)),
    () => post(webhook.url, sign(), 'forged').then(({ status }) => expect(status).toBe(401)),
    () => post(webhook.url, sign({ offset: -400 })).then(({ status }) => expect(status).toBe(401)),
    () => post(webhook.url, replayed).then(({ status }) => expect(status).toBe(401)),
    () =>
      post(webhook.url, sign({ body: large }), large).then(({ status }) =>
        expect(status).toBe(413),
      ),
  ]
  const todo = Array.from({ length: 500 }, (_, index) => kinds[index % kinds.length])
  const worker = async () => {
    for (let next = todo.pop(); next !== undefined; next = todo.pop()) await next()
  }
  await Promise.all(Array.from({ length: 32 }, worker))
  expect(webhook).toMatchObject({ hints: 101, errors: [] })
  expect(cycles).toBe(1 + 100 / together)
}, 120_000)
