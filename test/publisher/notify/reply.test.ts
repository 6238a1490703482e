import { expect, test } from 'vitest'
import { ROTATION } from '../../../agent/publisher/notify/question.ts'
import { type Proof, readReply } from '../../../agent/publisher/notify/reply.ts'
import { outcomeWith } from './outcomes.ts'

const OUTCOME = JSON.stringify(outcomeWith('applied', ['SHA256:a']))

const read = (status: number, text: string, proof: Proof = 'signed', retryAfter?: string) =>
  readReply({ status, text, proof, retryAfter }, ROTATION)

test.each([
  [200, OUTCOME, 'outcome', undefined],
  [200, '<html>', 'rejected', 'not-an-agent'],
  [200, '{"outcome":"applied"}', 'rejected', 'not-an-agent'],
  [200, OUTCOME.replace('applied', 'fine'), 'rejected', 'not-an-agent'],
  [200, OUTCOME.replace('"SHA256:a"', '1'), 'rejected', 'not-an-agent'],
  [200, OUTCOME.replace('"type"', '"adopted":"/etc/ca.pub","type"'), 'outcome', undefined],
  [200, OUTCOME.replace('"type"', '"adopted":{},"type"'), 'rejected', 'not-an-agent'],
  [202, '{"outcome":"pending"}', 'pending', undefined],
  [202, '', 'rejected', 'not-an-agent'],
  // Our own request, given back with its signature.
  [202, '{"type":"rotation","data":{"attempt":1}}', 'rejected', 'not-an-agent'],
  [401, '', 'rejected', 'unauthorized'],
  [404, '', 'rejected', 'no-webhook'],
  [302, '', 'rejected', 'http-302'],
  [429, '', 'unreachable', 'http-429'],
  [503, '', 'unreachable', 'http-503'],
])('%i %s', (status, body, kind, code) => {
  const reply = read(status, body)
  expect([reply.kind, 'code' in reply ? reply.code : undefined]).toEqual([kind, code])
})

test('Retry-After is heard, where it is seconds', () => {
  expect(read(503, '', 'missing', '30')).toMatchObject({ retryAfterMs: 30_000 })
  expect(read(503, '', 'missing', 'Fri, 20 Nov 2026 10:00:00 GMT')).not.toHaveProperty(
    'retryAfterMs',
  )
})

test.each<[Proof, string]>([
  ['missing', 'answer-unsigned'],
  ['forged', 'answer-forged'],
  ['other-id', 'answer-forged'],
  ['stale', 'answer-stale'],
])('that all is well, or will be, is not believed where the signature is %s', (proof, code) => {
  expect(read(200, OUTCOME, proof)).toMatchObject({ kind: 'rejected', code })
  expect(read(202, '', proof)).toMatchObject({ kind: 'rejected', code })
  // A refusal can't be signed, and makes nothing well.
  expect(read(401, '', proof)).toMatchObject({ code: 'unauthorized' })
})

test('why a host can’t is said in its own words, where they are its own', () => {
  const body = '{"code":"not-remembered","message":"this host can’t write\\u001b[2J"}'
  expect(read(503, body)).toMatchObject({
    code: 'not-remembered',
    message: 'this host can’t write [2J',
  })
  expect(read(503, body, 'missing')).toMatchObject({ code: 'http-503', message: 'answered 503' })
  expect(read(503, '{"code":"a b","message":"x"}')).toMatchObject({ code: 'http-503' })
})

test('by whose file a key is trusted', () => {
  const adopted = {
    type: 'ssh-ed25519',
    fingerprint: 'SHA256:b',
    comment: '',
    adopted: '/etc/a\nb',
  }
  const outcome = { ...outcomeWith('applied', ['SHA256:a']), constructor: 'x' }
  const body = JSON.stringify({ ...outcome, trusted: [...outcome.trusted, adopted] })
  expect(read(200, body)).toEqual({
    kind: 'outcome',
    outcome: {
      outcome: 'applied',
      message: 'told',
      trusted: [outcome.trusted[0], { ...adopted, adopted: '/etc/a b' }],
    },
  })
})

const key = { type: 'ssh-ed25519', fingerprint: 'SHA256:a', comment: '' }
test.each([
  ['null', null],
  ['a list', []],
  ['an outcome of Object.prototype', { outcome: 'constructor' }],
  ['a message that is none', { message: 1 }],
  ['a code that is a sentence', { code: 'a b' }],
  ['a serial that is none', { serial: 1.5 }],
  ['a negative serial', { serial: -1 }],
  ['too large a serial', { serial: 2 ** 60 }],
  ['no keys', { trusted: {} }],
  ['a key that is none', { trusted: [null] }],
  ['a fingerprint with a line in it', { trusted: [{ ...key, fingerprint: 'SHA256:a\nb' }] }],
  ['a fingerprint of MD5', { trusted: [{ ...key, fingerprint: 'MD5:aa' }] }],
  ['a type with a space', { trusted: [{ ...key, type: 'ssh x' }] }],
  ['adopted from a number', { trusted: [{ ...key, adopted: 1 }] }],
  ['more keys than there can be', { trusted: Array(1025).fill(key) }],
  ['revoked keys that are none', { revoked: [null] }],
  ['one revoked key', { revoked: key }],
  ['a service that is none', { service: 'ssh' }],
  ['an action of Object.prototype', { service: { unit: 'ssh', action: 'toString' } }],
])('%s is no outcome', (_, part) => {
  const whole = part === null || Array.isArray(part) ? part : { ...JSON.parse(OUTCOME), ...part }
  expect(read(200, JSON.stringify(whole))).toMatchObject({ code: 'not-an-agent' })
})

test('a message is one line, of some length, whatever is in it', () => {
  const message = `\u001b]0;title\u0007a\r\nb\u202ec\ud800d\u009b2K${'x'.repeat(5000)}`
  const reply = read(200, JSON.stringify({ ...JSON.parse(OUTCOME), message }))
  const told = reply.kind === 'outcome' ? reply.outcome.message : ''
  expect(told).toMatch(/^\]0;title a b c d 2Kx+…$/)
  expect(told).not.toMatch(/[\p{C}]/u)
  expect(told.length).toBeLessThan(1010)
})
