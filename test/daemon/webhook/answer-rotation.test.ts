import { Webhook } from 'standardwebhooks'
import { describe, expect, test } from 'vitest'
import type { Outcome } from '../../../agent/core/outcome/outcome.ts'
import { OUTCOME_NAMES } from '../../../agent/core/outcome/outcome-rows.ts'
import {
  headLines,
  hear,
  OTHER_SECRET,
  OUTCOME,
  post,
  SECRET,
  say,
  sign,
  useReplay,
  useWebhook,
} from './with-webhook.ts'

const UNAUTHORIZED = expect.objectContaining({ code: 'unauthorized' })

describe('a genuine webhook', () => {
  test('answers 200 with the outcome', async () => {
    const webhook = await useWebhook()
    const body = '{"type":"ssh-ca.rotated","key":"ssh-ed25519 AAAA"}'
    const response = await post(webhook.url, sign({ body }), body)
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toBe('application/json')
    expect(await response.json()).toEqual(OUTCOME)
    expect(webhook).toMatchObject({ hints: 1, errors: [], answers: [{ status: 200 }] })
  })

  test('need not have a body', async () => {
    const { url } = await useWebhook()
    expect((await post(url, sign({ body: '' }), '')).status).toBe(200)
  })

  test.each(OUTCOME_NAMES)(
    'answers 200 also where the cycle ended %s: a retry would not help',
    async outcome => {
      const { url } = await useWebhook({ hint: async () => ({ ...OUTCOME, outcome }) })
      const response = await post(url, sign())
      expect(response.status).toBe(200)
      expect(await response.json()).toMatchObject({ outcome })
    },
  )

  test('answers 202 where the cycle takes longer, even if that fails in the end', async () => {
    const cycle = Promise.withResolvers<Outcome>()
    const webhook = await useWebhook({
      hint: () => cycle.promise,
      limits: { answerWithinMs: 20 },
    })
    const response = await post(webhook.url, sign())
    expect(response.status).toBe(202)
    expect(await response.json()).toMatchObject({ outcome: 'pending' })
    cycle.reject(new Error('too late'))
    expect((await post(webhook.url, sign())).status).toBe(503)
  })

  test('answers 503 where no cycle can be run, and tells only us why', async () => {
    const webhook = await useWebhook({
      hint: async () => {
        throw new Error('no provisioner at /run/x')
      },
    })
    const response = await post(webhook.url, sign())
    expect(response.status).toBe(503)
    expect(response.headers.get('retry-after')).toBe('30')
    expect(await response.text()).not.toContain('/run/x')
    expect(webhook.errors).toHaveLength(1)
  })

  test('may be signed with either of two secrets, or with both', async () => {
    const { url } = await useWebhook({ secrets: [OTHER_SECRET, SECRET] })
    expect((await post(url, sign())).status).toBe(200)
    expect((await post(url, sign({ secret: OTHER_SECRET }))).status).toBe(200)
    const headers = sign({ id: 'both' })
    const unknown = sign({ id: 'both', secret: `whsec_${Buffer.alloc(32, 9).toString('base64')}` })
    const signatures = `v1a,AAAA v1 ${unknown['webhook-signature']} ${headers['webhook-signature']}`
    expect((await post(url, { ...headers, 'webhook-signature': signatures })).status).toBe(200)
  })

  test.each([-295, 295])('may be signed %i s from our time', async offset => {
    const { url } = await useWebhook()
    expect((await post(url, sign({ offset }))).status).toBe(200)
  })
})

describe('an answer is signed', () => {
  const verify = (headers: Headers, body: string, secret = SECRET) =>
    new Webhook(secret).verify(body, Object.fromEntries(headers), { jsonParse: false })

  test('over the bytes that are sent, with the id of the request', async () => {
    const message = 'no “sshd” there: \ud800 \u0000 ü'
    const { url } = await useWebhook({ hint: async () => ({ ...OUTCOME, message }) })
    const headers = sign()
    const response = await post(url, headers)
    const body = await response.text()
    expect(() => verify(response.headers, body)).not.toThrow()
    expect(() => verify(response.headers, body.trim())).toThrow('No matching signature')
    expect(response.headers.get('webhook-id')).toBe(headers['webhook-id'])
    const age = Date.now() / 1000 - Number(response.headers.get('webhook-timestamp'))
    expect(Math.abs(age)).toBeLessThan(60)
  })

  test('with the secret that the webhook was signed with, and no other', async () => {
    const { url } = await useWebhook({ secrets: [OTHER_SECRET, SECRET] })
    for (const [secret, other] of [
      [SECRET, OTHER_SECRET],
      [OTHER_SECRET, SECRET],
    ] as const) {
      const response = await post(url, sign({ secret }))
      const body = await response.text()
      expect(() => verify(response.headers, body, secret)).not.toThrow()
      expect(() => verify(response.headers, body, other)).toThrow('No matching signature')
    }
  })

  const broken = () => {
    throw new Error('no space')
  }
  test.each<[number, Parameters<typeof useWebhook>[0]]>([
    [202, { hint: () => new Promise<never>(() => {}), limits: { answerWithinMs: 10 } }],
    [429, { replay: { note: () => 'full' } }],
    [503, { replay: { note: broken } }],
    [503, { hint: async () => broken() }],
  ])('%i too', async (status, options) => {
    const { url } = await useWebhook(options)
    const response = await post(url, sign())
    const body = await response.text()
    expect(response.status).toBe(status)
    expect(() => verify(response.headers, body)).not.toThrow()
  })

  test('and nothing that is said to anybody else', async () => {
    const { url } = await useWebhook()
    const headers = sign()
    await post(url, headers)
    const unsigned = [
      await post(url, headers),
      await post(url, sign({ secret: OTHER_SECRET })),
      await post(url, sign(), 'x'.repeat(20_000)),
      await fetch(`${url}/healthz`, { headers: sign() }),
    ]
    expect(unsigned.map(({ status }) => status)).toEqual([401, 401, 413, 200])
    for (const response of unsigned) {
      expect([...response.headers.keys()].filter(name => name.startsWith('webhook-'))).toEqual([])
    }
  })

  test('and is no webhook, whoever sends it on', async () => {
    const first = await useWebhook()
    const second = await useWebhook()
    const full = await useWebhook({ replay: { note: () => 'full' } })
    for (const { url } of [first, full]) {
      const response = await post(url, sign())
      const body = await response.text()
      const names = ['webhook-id', 'webhook-timestamp', 'webhook-signature']
      const headers = names.map(name => [name, response.headers.get(name) ?? ''])
      expect((await post(second.url, Object.fromEntries(headers), body)).status).toBe(401)
    }
    expect(second.hints).toBe(0)
    expect(second.answers.map(({ why }) => why)).toEqual(['reflected', 'reflected'])
  })
})

describe('refused with 401, all alike', () => {
  const good = sign({ id: 'good' })
  const forged: [string, string, Record<string, string>, string?][] = [
    ['no headers', 'missing', {}],
    ['no id', 'missing', without('webhook-id')],
    ['no timestamp', 'missing', without('webhook-timestamp')],
    ['no signature', 'missing', without('webhook-signature')],
    ['another body', 'forged', good, '{"a":1}'],
    ['another id', 'forged', { ...good, 'webhook-id': 'other' }],
    ['another secret', 'forged', sign({ secret: OTHER_SECRET })],
    ['an empty signature', 'forged', { ...good, 'webhook-signature': 'v1,' }],
    ['no signature in the list', 'forged', { ...good, 'webhook-signature': 'v1' }],
    ['another version', 'forged', asVersion('v2')],
    ['an asymmetric one', 'forged', asVersion('v1a')],
    [
      'half of it',
      'forged',
      { ...good, 'webhook-signature': good['webhook-signature'].slice(0, 20) },
    ],
    [
      'a time with a tail',
      'forged',
      { ...good, 'webhook-timestamp': `${good['webhook-timestamp']}x` },
    ],
    [
      'a time with a zero',
      'forged',
      { ...good, 'webhook-timestamp': `0${good['webhook-timestamp']}` },
    ],
    ['no time', 'forged', { ...good, 'webhook-timestamp': 'now' }],
    ['stale', 'stale', sign({ offset: -302 })],
    // Signed before the tests run: a busy machine comes nearer to it.
    ['from the future', 'stale', sign({ offset: 900 })],
  ]
  function without(name: keyof typeof good) {
    const { [name]: _, ...rest } = good
    return rest as Record<string, string>
  }
  function asVersion(version: string) {
    return { ...good, 'webhook-signature': good['webhook-signature'].replace('v1', version) }
  }

  test.each(forged)('%s (%s)', async (_, why, headers, body) => {
    const webhook = await useWebhook()
    const response = await post(webhook.url, headers, body)
    expect(response.status).toBe(401)
    expect(await response.json()).toEqual(UNAUTHORIZED)
    expect(webhook).toMatchObject({ hints: 0, errors: [], answers: [{ status: 401, why }] })
  })

  test('replayed, however it is dressed', async () => {
    const webhook = await useWebhook()
    const headers = sign({ id: 'msg.1' })
    const first = await post(webhook.url, headers)
    expect(first.status).toBe(200)
    const other = sign({ id: 'msg.1', secret: OTHER_SECRET })['webhook-signature']
    for (const dressed of [
      headers,
      { ...headers, 'webhook-signature': `${other} ${headers['webhook-signature']}` },
      { ...headers, 'webhook-timestamp': `${headers['webhook-timestamp']} ` },
    ]) {
      const response = await post(webhook.url, dressed)
      expect(response.status).toBe(401)
      expect(await response.json()).toEqual(UNAUTHORIZED)
    }
    expect(webhook.hints).toBe(1)
    expect(webhook.answers.slice(1).map(({ why }) => why)).toEqual(Array(3).fill('replayed'))
  })

  test('replayed as another id, time and body that read the same when joined', async () => {
    const webhook = await useWebhook()
    const soon = String(Math.floor(Date.now() / 1000) + 1)
    const headers = sign({ id: `msg.${soon}` })
    expect((await post(webhook.url, headers)).status).toBe(200)
    const cut = { ...headers, 'webhook-id': 'msg', 'webhook-timestamp': soon }
    const response = await post(webhook.url, cut, `${headers['webhook-timestamp']}.{}`)
    expect(response.status).toBe(401)
    expect(webhook.answers[1]).toMatchObject({ why: 'replayed' })
  })

  test('the same twice at once: one of them', async () => {
    const webhook = await useWebhook()
    const headers = sign()
    const statuses = await Promise.all(
      [1, 2, 3].map(async () => (await post(webhook.url, headers)).status),
    )
    expect(statuses.sort()).toEqual([200, 401, 401])
    expect(webhook.hints).toBe(1)
  })
})

test('a retry has the same id and a newer signature, and is one more hint', async () => {
  const webhook = await useWebhook()
  for (const offset of [0, 1, 5]) {
    expect((await post(webhook.url, sign({ id: 'same', offset }))).status).toBe(200)
  }
  expect(webhook.hints).toBe(3)
})

test('what can’t be remembered is not acted upon', async () => {
  const note = () => {
    throw Object.assign(new Error('no space'), { code: 'ENOSPC' })
  }
  const broken = await useWebhook({ replay: { note } })
  expect((await post(broken.url, sign())).status).toBe(503)
  expect(broken).toMatchObject({ hints: 0, errors: [{ code: 'ENOSPC' }] })
  const full = await useWebhook({ replay: { note: () => 'full' } })
  const response = await post(full.url, sign())
  expect(response.status).toBe(429)
  expect(response.headers.get('retry-after')).toBe('60')
  expect(full.hints).toBe(0)
})

test('a forged one is not remembered', async () => {
  const { url } = await useWebhook({ replay: useReplay() })
  const headers = sign({ id: 'later' })
  expect((await post(url, headers, 'forged')).status).toBe(401)
  expect((await post(url, headers)).status).toBe(200)
})

test('a header that comes twice is nobody’s word', async () => {
  const { port } = await useWebhook()
  const head = headLines({ host: 'x', 'content-length': '2', connection: 'close', ...sign() })
  const socket = await say(
    port,
    `POST /webhook/rotation HTTP/1.1\r\n${head}webhook-id: b\r\n\r\n{}`,
  )
  expect(await hear(socket)).toMatch(/^HTTP\/1.1 401 /)
})
