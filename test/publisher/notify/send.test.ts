import { createServer } from 'node:net'
import { expect, test } from 'vitest'
import { type SendOptions, send } from '../../../agent/publisher/notify/send.ts'
import { makeTestTls } from '../../control-plane/test-tls.ts'
import { OTHER_SECRET, OUTCOME, SECRET, useWebhook } from '../../daemon/webhook/with-webhook.ts'

// Against the listener that every host has.
const sending = (url: string, options: Partial<SendOptions> = {}) =>
  send({
    url: `${url}/webhook/rotation`,
    secrets: [SECRET],
    id: 'msg_1',
    attempt: 1,
    now: new Date(),
    timeoutMs: 5_000,
    signal: new AbortController().signal,
    ...options,
  })

test('is believed, and brings the outcome', async () => {
  const it = await useWebhook()
  expect(await sending(it.url)).toEqual({ kind: 'outcome', outcome: OUTCOME })
})

test('a second attempt with the same id in the same second is no replay', async () => {
  const it = await useWebhook()
  const now = new Date()
  const kinds = []
  for (const attempt of [1, 2, 3]) kinds.push((await sending(it.url, { now, attempt })).kind)
  expect(kinds).toEqual(['outcome', 'outcome', 'outcome'])
  expect(await sending(it.url, { now, attempt: 3 })).toMatchObject({ code: 'unauthorized' })
})

test('while a secret is changed, one of two is enough', async () => {
  const it = await useWebhook()
  const both = await sending(it.url, { secrets: [OTHER_SECRET, SECRET] })
  expect(both.kind).toBe('outcome')
  const wrong = await sending(it.url, { secrets: [OTHER_SECRET], attempt: 2 })
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
