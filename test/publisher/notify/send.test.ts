import { randomUUID } from 'node:crypto'
import { createServer as createHttpServer, type RequestListener } from 'node:http'
import { connect, createServer } from 'node:net'
import { text } from 'node:stream/consumers'
import { Webhook } from 'standardwebhooks'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createVerifier } from '../../../agent/http/webhook-signature.ts'
import { ROTATION } from '../../../agent/publisher/notify/question.ts'
import { type SendOptions, send } from '../../../agent/publisher/notify/send.ts'
import { makeTestTls } from '../../control-plane/test-tls.ts'
import { OTHER_SECRET, OUTCOME, SECRET, useWebhook } from '../../daemon/webhook/with-webhook.ts'

// Against the listener that every host has.
const sending = (url: string, options: Partial<SendOptions> = {}) =>
  send(ROTATION, {
    url: `${url}/webhook/rotation`,
    secrets: [SECRET],
    verify: createVerifier(options.secrets ?? [SECRET]),
    id: `msg_${randomUUID()}`,
    attempt: 1,
    now: new Date(),
    timeoutMs: 5_000,
    signal: new AbortController().signal,
    ...options,
  })

test('is believed, and brings the outcome', async () => {
  const it = await useWebhook()
  const { steps: _, ...outcome } = OUTCOME
  expect(await sending(it.url)).toEqual({ kind: 'outcome', outcome })
})

test('a second attempt in the same second is no replay, and the same one is', async () => {
  const it = await useWebhook()
  const now = new Date()
  const kinds = []
  for (const attempt of [1, 2, 3]) kinds.push((await sending(it.url, { now, attempt })).kind)
  expect(kinds).toEqual(['outcome', 'outcome', 'outcome'])
  const same = { now, attempt: 1, id: 'msg_1' }
  expect((await sending(it.url, same)).kind).toBe('outcome')
  expect(await sending(it.url, same)).toMatchObject({ code: 'unauthorized' })
})

test('while a secret is changed, one of two is enough', async () => {
  const it = await useWebhook()
  const both = await sending(it.url, { secrets: [OTHER_SECRET, SECRET] })
  expect(both.kind).toBe('outcome')
  const wrong = await sending(it.url, { secrets: [OTHER_SECRET] })
  expect(wrong).toMatchObject({ kind: 'rejected', code: 'unauthorized' })
})

test('a cycle that goes on is pending', async () => {
  const never = new Promise<never>(() => {})
  const it = await useWebhook({ hint: () => never, limits: { answerWithinMs: 10 } })
  expect(await sending(it.url)).toEqual({ kind: 'pending' })
})

test('over TLS, by its CA and no other', async () => {
  const tls = await makeTestTls({ hosts: ['127.0.0.1'] })
  const it = await useWebhook({ tls })
  const url = it.url.replace('http:', 'https:')
  expect((await sending(url, { roots: [tls.ca] })).kind).toBe('outcome')
  expect(await sending(url)).toMatchObject({ kind: 'unreachable', code: 'tls' })
  expect(await sending(url.replace('https:', 'http:'))).toMatchObject({ kind: 'unreachable' })
  const plain = await useWebhook()
  const wrong = await sending(plain.url.replace('http:', 'https:'))
  expect(wrong).toMatchObject({ kind: 'unreachable', code: 'tls' })
})

test('who switches to another protocol, and leaves the line open', async () => {
  const server = createServer(socket => {
    socket.on('error', () => {})
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n')
  }).listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await new Promise(resolve => server.once('listening', resolve))
  const { port } = server.address() as { port: number }
  const url = `http://127.0.0.1:${port}`
  expect(await sending(url)).toMatchObject({ kind: 'unreachable', code: 'connection-reset' })
})

test('100 Continue and 103 Early Hints before the answer are passed over', async () => {
  const it = await useWebhook()
  const interim = 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n'
  const between = createServer(socket => {
    const host = connect(Number(new URL(it.url).port), '127.0.0.1')
    for (const each of [socket, host]) each.on('error', () => {})
    socket.write(interim)
    socket.pipe(host).pipe(socket)
  }).listen(0, '127.0.0.1')
  onTestFinished(() => void between.close())
  await new Promise(resolve => between.once('listening', resolve))
  const { port } = between.address() as { port: number }
  expect(await sending(`http://127.0.0.1:${port}`)).toMatchObject({ kind: 'outcome' })
})

test('nobody there, and nobody who answers', async () => {
  const silent = createServer(() => {}).listen(0, '127.0.0.1')
  await new Promise(resolve => silent.once('listening', resolve))
  const { port } = silent.address() as { port: number }
  const url = `http://127.0.0.1:${port}`
  expect(await sending(url, { timeoutMs: 50 })).toMatchObject({ code: 'timeout' })
  silent.close()
  expect(await sending('http://127.0.0.1:9')).toMatchObject({ code: 'connection-refused' })
  expect(await sending('http://nobody.invalid')).toMatchObject({ kind: 'unreachable' })
})

describe('an answer is believed that is signed for this request, and no other', () => {
  const GOOD = JSON.stringify(OUTCOME)

  /** What answers at the address of a host. */
  async function answering(listener: RequestListener): Promise<string> {
    const server = createHttpServer(listener).listen(0, '127.0.0.1')
    onTestFinished(() => void server.close())
    await new Promise(resolve => server.once('listening', resolve))
    return `http://127.0.0.1:${(server.address() as { port: number }).port}`
  }
  function signed(id: string, body = GOOD, { secret = SECRET, offset = 0 } = {}) {
    const at = new Date((Math.floor(Date.now() / 1000) + offset) * 1000)
    return {
      'webhook-id': id,
      'webhook-timestamp': String(at.getTime() / 1000),
      'webhook-signature': new Webhook(secret).sign(id, at, body),
    }
  }
  type Signed = ReturnType<typeof signed>

  test.each<[string, string, (id: string) => { [name in keyof Signed]?: string | undefined }]>([
    ['not signed, as an older agent’s', 'answer-unsigned', () => ({})],
    ['signed without an id', 'answer-unsigned', id => ({ ...signed(id), 'webhook-id': undefined })],
    ['of another secret', 'answer-forged', id => signed(id, GOOD, { secret: OTHER_SECRET })],
    ['of another body', 'answer-forged', id => signed(id, GOOD.replace('applied', 'unchanged'))],
    ['of another request', 'answer-forged', () => signed('msg_0')],
    [
      'under an id that it is not of',
      'answer-forged',
      id => ({ ...signed('msg_0'), 'webhook-id': id }),
    ],
    ['too old', 'answer-stale', id => signed(id, GOOD, { offset: -400 })],
    ['from the future', 'answer-stale', id => signed(id, GOOD, { offset: 400 })],
    [
      'a time with a tail',
      'answer-forged',
      id => ({ ...signed(id), 'webhook-timestamp': `${signed(id)['webhook-timestamp']}x` }),
    ],
    ['an empty signature', 'answer-forged', id => ({ ...signed(id), 'webhook-signature': 'v1,' })],
  ])('%s', async (_, code, headers) => {
    for (const status of [200, 202]) {
      const url = await answering((request, response) => {
        const id = String(request.headers['webhook-id'])
        const given = Object.entries(headers(id)).filter(([, value]) => value !== undefined)
        response.writeHead(status, Object.fromEntries(given)).end(GOOD)
      })
      expect(await sending(url)).toMatchObject({ kind: 'rejected', code })
    }
  })

  test('signed as it should be, by one of several', async () => {
    const url = await answering((request, response) => {
      const headers = signed(String(request.headers['webhook-id']))
      const signatures = `v1,AAAA ${headers['webhook-signature']} v2,x`
      response.writeHead(200, { ...headers, 'webhook-signature': signatures }).end(GOOD)
    })
    expect((await sending(url)).kind).toBe('outcome')
  })

  test('our own request, given back', async () => {
    for (const status of [200, 202]) {
      const url = await answering(async (request, response) => {
        const body = await text(request)
        const names = ['webhook-id', 'webhook-timestamp', 'webhook-signature']
        const headers = names.map(name => [name, String(request.headers[name])])
        response.writeHead(status, Object.fromEntries(headers)).end(body)
      })
      expect((await sending(url)).kind).not.toBe('outcome')
    }
  })

  test('what a host answered before, to whoever asks again', async () => {
    const it = await useWebhook()
    let first: { headers: Record<string, string>; body: string } | undefined
    const url = await answering(async (request, response) => {
      const headers = Object.entries(request.headers).filter(([name]) =>
        name.startsWith('webhook-'),
      )
      const there = await fetch(`${it.url}/webhook/rotation`, {
        method: 'POST',
        headers: Object.fromEntries(headers) as Record<string, string>,
        body: await text(request),
      })
      const body = await there.text()
      first ??= { headers: Object.fromEntries(there.headers), body }
      const { 'transfer-encoding': _, connection: __, ...kept } = first.headers
      response.writeHead(200, kept).end(first.body)
    })
    expect((await sending(url)).kind).toBe('outcome')
    expect(await sending(url, { attempt: 2 })).toMatchObject({ code: 'answer-forged' })
  })

  test('more than any host says, and it does not end', async () => {
    const url = await answering((request, response) => {
      response.writeHead(200, signed(String(request.headers['webhook-id'])))
      const chunk = 'x'.repeat(64 * 1024)
      const write = () => {
        while (!response.destroyed && response.write(chunk));
      }
      response.on('error', () => {}).on('drain', write)
      write()
    })
    expect(await sending(url)).toMatchObject({ kind: 'rejected', code: 'not-an-agent' })
  })
})
