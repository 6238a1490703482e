import { expect, test } from 'vitest'
import { readReply } from '../../../agent/publisher/notify/reply.ts'
import { outcomeWith } from './outcomes.ts'

const OUTCOME = JSON.stringify(outcomeWith('applied', ['SHA256:a']))

test.each([
  [200, OUTCOME, 'outcome', undefined],
  [200, '<html>', 'rejected', 'not-an-agent'],
  [200, '{"outcome":"applied"}', 'rejected', 'not-an-agent'],
  [200, OUTCOME.replace('applied', 'fine'), 'rejected', 'not-an-agent'],
  [200, OUTCOME.replace('"SHA256:a"', '1'), 'rejected', 'not-an-agent'],
  [200, OUTCOME.replace('"type"', '"adopted":"/etc/ca.pub","type"'), 'outcome', undefined],
  [200, OUTCOME.replace('"type"', '"adopted":{},"type"'), 'rejected', 'not-an-agent'],
  [202, '', 'pending', undefined],
  [401, '', 'rejected', 'unauthorized'],
  [404, '', 'rejected', 'no-webhook'],
  [302, '', 'rejected', 'http-302'],
  [429, '', 'unreachable', 'http-429'],
  [503, '', 'unreachable', 'http-503'],
])('%i %s', (status, body, kind, code) => {
  const reply = readReply(status, undefined, body)
  expect([reply.kind, 'code' in reply ? reply.code : undefined]).toEqual([kind, code])
})

test('Retry-After is heard, where it is seconds', () => {
  expect(readReply(503, '30', '')).toMatchObject({ retryAfterMs: 30_000 })
  expect(readReply(503, 'Fri, 20 Nov 2026 10:00:00 GMT', '')).not.toHaveProperty('retryAfterMs')
})
