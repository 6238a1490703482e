import { Webhook } from 'standardwebhooks'
import { expect, test } from 'vitest'
import {
  ask,
  OTHER_SECRET,
  post,
  SECRET,
  STATUS,
  sign,
  useReplay,
  useWebhook,
} from './with-webhook.ts'

const QUESTION = '{"type":"status"}'

test('is told to whoever has the secret, signed, and begins no cycle', async () => {
  const webhook = await useWebhook()
  const headers = sign({ body: QUESTION })
  const response = await ask(webhook.url, QUESTION, headers)
  const body = await response.text()
  expect(response.status).toBe(200)
  expect(JSON.parse(body)).toEqual(STATUS)
  const signed = Object.fromEntries(response.headers)
  expect(() => new Webhook(SECRET).verify(body, signed, { jsonParse: false })).not.toThrow()
  expect(response.headers.get('webhook-id')).toBe(headers['webhook-id'])
  expect(webhook).toMatchObject({ hints: 0, errors: [], answers: [{ status: 200 }] })
})

test.each([
  ['no signature', 'missing', QUESTION, {}],
  ['another secret', 'forged', QUESTION, sign({ body: QUESTION, secret: OTHER_SECRET })],
  ['a rotation', 'other-path', '{"type":"rotation"}', sign({ body: '{"type":"rotation"}' })],
  ['no type', 'other-path', '{}', sign()],
  ['no body', 'other-path', '', sign({ body: '' })],
  ['a list', 'other-path', '["status"]', sign({ body: '["status"]' })],
  ['null', 'other-path', 'null', sign({ body: 'null' })],
])('nobody is told by %s', async (_, why, body, headers) => {
  const webhook = await useWebhook()
  const response = await ask(webhook.url, body, headers)
  expect(response.status).toBe(401)
  expect(await response.json()).toMatchObject({ code: 'unauthorized' })
  expect([...response.headers.keys()].filter(name => name.startsWith('webhook-'))).toEqual([])
  expect(webhook).toMatchObject({ hints: 0, answers: [{ status: 401, why }] })
})

test('caught, it is of no use on the path of rotations, nor is it used up there', async () => {
  const webhook = await useWebhook()
  const headers = sign({ body: QUESTION })
  expect((await post(webhook.url, headers, QUESTION)).status).toBe(401)
  expect((await ask(webhook.url, QUESTION, headers)).status).toBe(200)
  expect((await post(webhook.url, headers, QUESTION)).status).toBe(401)
  expect(webhook).toMatchObject({ hints: 0 })
})

test('a rotation that somebody sends here first still comes in', async () => {
  const webhook = await useWebhook()
  const body = '{"type":"rotation"}'
  const headers = sign({ body })
  expect((await ask(webhook.url, body, headers)).status).toBe(401)
  expect((await post(webhook.url, headers, body)).status).toBe(200)
  expect(webhook.hints).toBe(1)
})

test('once, and not where it can’t be remembered', async () => {
  const webhook = await useWebhook({ replay: useReplay() })
  const headers = sign({ body: QUESTION })
  expect((await ask(webhook.url, QUESTION, headers)).status).toBe(200)
  expect((await ask(webhook.url, QUESTION, headers)).status).toBe(401)
  expect(webhook.answers[1]).toMatchObject({ why: 'replayed' })
  const full = await useWebhook({ replay: { note: () => 'full' } })
  expect((await ask(full.url)).status).toBe(429)
})

test('its answer is no webhook, on either path', async () => {
  const first = await useWebhook()
  const second = await useWebhook()
  const response = await ask(first.url)
  const body = await response.text()
  const names = ['webhook-id', 'webhook-timestamp', 'webhook-signature']
  const headers = Object.fromEntries(names.map(name => [name, response.headers.get(name) ?? '']))
  expect((await post(second.url, headers, body)).status).toBe(401)
  expect((await ask(second.url, body, headers)).status).toBe(401)
  expect(second.answers.map(({ why }) => why)).toEqual(['reflected', 'reflected'])
  expect(second.hints).toBe(0)
})

test('the body has a limit', async () => {
  const webhook = await useWebhook()
  const body = `{"type":"status","x":"${'x'.repeat(17_000)}"}`
  expect((await ask(webhook.url, body)).status).toBe(413)
})
