import { expect, test } from 'vitest'
import { holdsToken, parseToken } from '../../../agent/publisher/serve/bearer.ts'

const TOKEN = '0123456789abcdef'

test.each([
  [`Bearer ${TOKEN}`, true],
  [`bearer  ${TOKEN}`, true],
  [`Bearer ${TOKEN}x`, false],
  [`Bearer ${TOKEN.slice(1)}`, false],
  ['Bearer ', false],
  [`Basic ${TOKEN}`, false],
  [TOKEN, false],
  [undefined, false],
])('Authorization: %s', (header, holds) => {
  expect(holdsToken(header, TOKEN)).toBe(holds)
})

test.each([
  [`${TOKEN}\n`, TOKEN],
  ['short', undefined],
  ['', undefined],
  ['two tokens of some length', undefined],
  ['line one of some length\nline two', undefined],
])('a token file that holds %j', (text, token) => {
  expect(parseToken(text)).toBe(token)
})
