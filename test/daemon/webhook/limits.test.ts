import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { headLines, hear, post, say, sign, useWebhook } from './with-webhook.ts'

const KIB = 1024
const rotation = (headers: Record<string, string>) =>
  `POST /webhook/rotation HTTP/1.1\r\n${headLines({ host: 'x', ...headers })}\r\n`

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
    expect(await hear(socket)).toMatch(/^HTTP\/1.1 408 /)
    clearInterval(drip)
  })
})

test('a head over 8 KiB is refused', async () => {
  const { url } = await useWebhook()
  const response = await post(url, { ...sign(), padding: 'x'.repeat(9 * KIB) })
  expect(response.status).toBe(431)
})

test('no more connections than it bears; the others go on', async () => {
  const webhook = await useWebhook({ limits: { connections: 2 } })
  const held = [await say(webhook.port, ''), await say(webhook.port, '')]
  await sleep(20)
  expect(await hear(await say(webhook.port, 'GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n'))).toBe('')
  for (const socket of held) socket.destroy()
  await expect.poll(() => webhook.listener.busy()).toBe(false)
  expect((await post(webhook.url, sign())).status).toBe(200)
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
  let cycles = 0
  let running: Promise<void> | undefined
  const webhook = await useWebhook({
    async hint() {
      running ??= sleep(50).then(() => {
        cycles += 1
        running = undefined
      })
      await running
      return { outcome: 'unchanged', message: '', steps: [], trusted: [] }
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
  expect(cycles).toBeLessThan(101)
})
