import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  decodeFetched,
  decodeFetchRequest,
  encodeFetched,
  encodeFetchRequest,
  type FetchAnswer,
} from '../../../agent/core/protocol/fetch-protocol.ts'

const answers: FetchAnswer[] = [
  { kind: 'bundle', bytes: Buffer.from('ssh-ed25519 AAAA ca\n') },
  { kind: 'bundle', bytes: Buffer.alloc(0) },
  { kind: 'unavailable', code: 'timeout', message: 'too slow. Look there.' },
  { kind: 'refused', code: 'html', message: 'a web page' },
]

test.each(answers)('what the child encodes, root decodes: $kind', answer => {
  expect(decodeFetched(encodeFetched(answer))).toEqual(answer)
})

test('only what root needs goes along', () => {
  const all = { kind: 'bundle', bytes: Buffer.from('x'), etag: '"a"', date: new Date(0) } as const
  expect(JSON.parse(encodeFetched(all))).toEqual({ kind: 'bundle', bytes: 'eA==' })
})

test.each([
  '',
  'null',
  '[]',
  '7',
  '{',
  '{}',
  '{"kind":"not-modified"}',
  '{"kind":"bundle"}',
  '{"kind":"bundle","bytes":7}',
  '{"kind":"bundle","bytes":"@@"}',
  '{"kind":"bundle","bytes":"eA="}',
  '{"kind":"bundle","bytes":["eA=="]}',
  '{"kind":"bundle","bytes":"eA==","date":"now"}',
  '{"kind":["bundle"],"bytes":"eA=="}',
  '{"__proto__":{"kind":"bundle"},"bytes":"eA=="}',
  '{"kind":"unavailable","code":"timeout"}',
  '{"kind":"unavailable","code":"timeout","message":7}',
  '{"kind":"unavailable","code":"no-such","message":"x"}',
  '{"kind":"unavailable","code":"constructor","message":"x"}',
  '{"kind":"unavailable","code":"__proto__","message":"x"}',
  '{"kind":"unavailable","code":"html","message":"x"}',
  '{"kind":"unavailable","code":"timeout","message":"x","outcome":"applied"}',
  '{"kind":"refused","code":"timeout","message":"x"}',
  '{"kind":"refused","code":["html"],"message":"x"}',
  '{"kind":"toString","code":"html","message":"x"}',
  JSON.stringify({ kind: 'refused', code: 'html', message: 'x'.repeat(2001) }),
  '{"kind":"bundle","bytes":"eA=="}{"kind":"bundle","bytes":"eA=="}',
])('%s is no answer', text => {
  expect(decodeFetched(text)).toBeUndefined()
})

test('a message moves no cursor and starts no line', () => {
  const message = 'a\u001b[2Jb\r\nroot# \u009bc\u202ed\u2028e\u0000'
  const decoded = decodeFetched(JSON.stringify({ kind: 'unavailable', code: 'tls', message }))
  expect(decoded).toMatchObject({ message: 'a [2Jb root#  c d e' })
})

test('whatever the child says is an answer or none', () => {
  const value = fc.oneof(
    fc.json(),
    fc.constantFrom('bundle', 'unavailable', 'refused', 'html', 'tls'),
  )
  const object = fc
    .dictionary(fc.constantFrom('kind', 'code', 'message', 'bytes', '__proto__', 'x'), value)
    .map(each => JSON.stringify(each))
  fc.assert(
    fc.property(fc.oneof(object, fc.json(), fc.string()), text => {
      const decoded = decodeFetched(text)
      if (decoded !== undefined && decoded.kind !== 'bundle') {
        expect(decoded.message).not.toMatch(/\p{Cc}/u)
      }
    }),
    { numRuns: 2000 },
  )
})

describe('a request', () => {
  test('goes there as it is', () => {
    const request = { source: { url: 'https://x/', token: 't' }, descriptor: false }
    expect(decodeFetchRequest(encodeFetchRequest(request))).toEqual(request)
  })
  test.each(['', '{', 'null', '{}', '{"source":null}', '{"source":{}}', '{"source":"url"}'])(
    '%s is none',
    text => expect(decodeFetchRequest(text)).toBeUndefined(),
  )
})
