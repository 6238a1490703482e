import { once } from 'node:events'
import { request } from 'node:https'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import type { Outcome } from '../../../agent/core/outcome/outcome.ts'
import { openWebhook } from '../../../agent/daemon/webhook/webhook.ts'
import { makeTestTls } from '../../control-plane/test-tls.ts'
import {
  ask,
  headLines,
  hear,
  OTHER_SECRET,
  OUTCOME,
  post,
  SECRET,
  STATUS,
  say,
  sign,
  useReplay,
  useWebhook,
} from './with-webhook.ts'

describe('beside the rotation', () => {
  test('health and metrics', async () => {
    let ok = true
    const { url } = await useWebhook({ health: async () => ({ ok, message: 'why' }) })
    const healthy = await fetch(`${url}/healthz`)
    expect(healthy.status).toBe(200)
    expect(healthy.headers.get('connection')).toBe('keep-alive')
    expect(await healthy.json()).toEqual({ ok: true, message: 'why' })
    ok = false
    expect((await fetch(`${url}/healthz?verbose`)).status).toBe(503)
    const metrics = await fetch(`${url}/metrics`)
    expect(metrics.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
    expect(await metrics.text()).toBe('up 1\n')
    const head = await fetch(`${url}/metrics`, { method: 'HEAD' })
    expect([head.status, await head.text()]).toEqual([200, ''])
  })

  test.each([
    ['GET', '/webhook/rotation', 405, 'POST'],
    ['GET', '/webhook/status', 405, 'POST'],
    ['POST', '/webhook/constructor', 404, null],
    ['PUT', '/webhook/rotation', 405, 'POST'],
    ['POST', '/healthz', 405, 'GET, HEAD'],
    ['DELETE', '/metrics', 405, 'GET, HEAD'],
    ['GET', '/', 404, null],
    ['POST', '/webhook/rotation/', 404, null],
    ['POST', '/webhook%2frotation', 404, null],
    ['POST', '//webhook/rotation', 404, null],
  ])('%s %s is answered %i', async (method, path, status, allow) => {
    const webhook = await useWebhook()
    const response = await fetch(webhook.url + path, { method, headers: sign() })
    expect([response.status, response.headers.get('allow')]).toEqual([status, allow])
    expect(webhook).toMatchObject({ hints: 0, errors: [] })
  })

  test('without a secret there is no webhook', async () => {
    const { url } = await useWebhook({ secrets: [] })
    expect((await post(url, sign())).status).toBe(404)
    expect((await ask(url)).status).toBe(404)
    expect((await fetch(`${url}/healthz`)).status).toBe(200)
  })

  test.each([
    'nonsense\r\n\r\n',
    'GET /healthz HTTP/1.1\r\n\r\n',
    'GET / HTTP/1.1\r\nh : x\r\n\r\n',
  ])('what is no request is answered 400: %j', async bytes => {
    const { port } = await useWebhook()
    expect(await hear(await say(port, bytes))).toMatch(/^HTTP\/1.1 400 /)
  })

  test('a bug of ours is answered 500, is told to us alone, and ends nothing', async () => {
    const webhook = await useWebhook({
      metrics: async () => {
        throw new Error(`a bug near ${SECRET}`)
      },
    })
    const response = await fetch(`${webhook.url}/metrics`)
    expect(response.status).toBe(500)
    expect(await response.text()).not.toContain(SECRET)
    expect(webhook.errors).toHaveLength(1)
    expect((await fetch(`${webhook.url}/healthz`)).status).toBe(200)
  })
})

test('rejects where it can’t listen', async () => {
  const { port } = await useWebhook()
  await expect(useWebhook({ listen: { host: '127.0.0.1', port } })).rejects.toMatchObject({
    code: 'EADDRINUSE',
  })
})

test('over TLS', async () => {
  const { ca, cert, key } = await makeTestTls({ hosts: ['127.0.0.1'] })
  const limits = { headersMs: 300 }
  const webhook = await useWebhook({ tls: { cert, key }, limits })
  const sent = request(`${webhook.url}/webhook/rotation`, {
    method: 'POST',
    headers: sign(),
    ca,
    agent: false,
  })
  const [response] = await once(sent.end('{}'), 'response')
  expect(response.statusCode).toBe(200)
  expect(JSON.parse(await text(response))).toEqual(OUTCOME)
  await expect.poll(() => webhook.listener.busy()).toBe(false)
  // Neither plain HTTP nor a handshake that does not come keeps it.
  await expect(fetch(webhook.url.replace('https', 'http'))).rejects.toThrow()
  expect(await hear(await say(webhook.port, ''))).toBe('')
  await expect.poll(() => webhook.listener.busy()).toBe(false)
  expect(webhook.errors).toEqual([])
})

test('a handshake that does not come holds up no closing', async () => {
  const tls = await makeTestTls({ hosts: ['127.0.0.1'] })
  const webhook = await useWebhook({ tls })
  const silent = hear(await say(webhook.port, ''))
  await expect.poll(() => webhook.listener.busy()).toBe(true)
  const before = performance.now()
  await webhook.listener.close(20)
  expect(performance.now() - before).toBeLessThan(3_000)
  expect(await silent).toBe('')
})

test('a certificate that is none is told at once', async () => {
  await expect(useWebhook({ tls: { cert: 'none', key: 'none' } })).rejects.toThrow()
})

describe('busy', () => {
  test('while anybody is connected, and says when all are gone', async () => {
    const idle = Promise.withResolvers<void>()
    const webhook = await useWebhook({ onIdle: idle.resolve, limits: { keepAliveMs: 100 } })
    expect(webhook.listener.busy()).toBe(false)
    await (await fetch(`${webhook.url}/healthz`)).text()
    expect(webhook.listener.busy()).toBe(true)
    await idle.promise
    expect(webhook.listener.busy()).toBe(false)
  })
})

describe('closing', () => {
  test('lets a request in flight end, and hears no new one', async () => {
    const cycle = Promise.withResolvers<Outcome>()
    const webhook = await useWebhook({ hint: () => cycle.promise })
    const inFlight = post(webhook.url, sign())
    await expect.poll(() => webhook.hints).toBe(1)
    const closed = webhook.listener.close()
    await expect(fetch(`${webhook.url}/healthz`)).rejects.toThrow()
    cycle.resolve(OUTCOME)
    const response = await inFlight
    expect([response.status, response.headers.get('connection')]).toEqual([200, 'close'])
    await closed
    expect(webhook.listener.busy()).toBe(false)
  })

  test('answers 202 when the grace is over, and cuts who says nothing', async () => {
    const webhook = await useWebhook({ hint: () => new Promise(() => {}) })
    const silent = hear(await say(webhook.port, 'POST /webhook/rotation HTTP/1.1\r\n'))
    const inFlight = Promise.all([1, 2, 3].map(() => post(webhook.url, sign())))
    await expect.poll(() => webhook.hints).toBe(3)
    await webhook.listener.close(50)
    expect((await inFlight).map(({ status }) => status)).toEqual([202, 202, 202])
    expect(await silent).toBe('')
  })

  test('twice is once', async () => {
    const { listener } = await useWebhook()
    await Promise.all([listener.close(), listener.close()])
  })
})

test('no answer, no error and no log line holds a secret, a signature or a body', async () => {
  const seen: unknown[] = []
  const listener = await openWebhook({
    listen: { host: '127.0.0.1', port: 0 },
    secrets: [SECRET, OTHER_SECRET],
    replay: useReplay(),
    hint: async () => OUTCOME,
    status: async () => STATUS,
    metrics: async () => '',
    health: async () => ({ ok: true }),
    onError: error => seen.push(error, (error as Error).message, (error as Error).stack),
    onAnswer: answer => seen.push(JSON.stringify(answer)),
  })
  const url = `http://127.0.0.1:${listener.address.port}`
  const body = '{"private":"BODY-SECRET"}'
  const headers = sign({ body, id: 'ID-SECRET' })
  const large = 'BODY-SECRET'.repeat(2000)
  for (const [given, payload] of [
    [headers, body],
    [headers, body],
    [headers, 'BODY-SECRET'],
    [{ ...headers, 'webhook-timestamp': 'BODY-SECRET' }, body],
    [{ ...headers, 'webhook-signature': `v1,${SECRET}` }, body],
    [sign({ body, offset: -1000 }), body],
    [sign({ body: large }), large],
  ] as const) {
    const response = await post(url, given, payload)
    // Who knows the secret is told which of its webhooks this answers.
    const answered = [...response.headers].filter(([name]) => name !== 'webhook-id')
    seen.push(JSON.stringify(answered), await response.text())
  }
  const head = headLines({ host: 'x', ...headers, 'content-length': 'BODY-SECRET' })
  seen.push(
    await hear(await say(listener.address.port, `POST /webhook/rotation HTTP/1.1\r\n${head}\r\n`)),
  )
  await listener.close(0)
  await sleep(0)
  const signature = headers['webhook-signature'].slice(3)
  for (const secret of [SECRET, SECRET.slice(6), OTHER_SECRET.slice(6), signature]) {
    expect(seen.join('\n')).not.toContain(secret)
  }
  expect(seen.join('\n')).not.toMatch(/BODY-SECRET|ID-SECRET/)
})
