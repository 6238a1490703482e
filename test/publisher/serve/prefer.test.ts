import { expect, test } from 'vitest'
import { MAX_WAIT_SECONDS, parseWait } from '../../../agent/publisher/serve/prefer.ts'

test.each([
  ['wait=60', 60],
  ['Wait = 5', 5],
  ['wait="7"', 7],
  ['respond-async, wait=10', 10],
  ['wait=10; foo=bar, wait=20', 10],
  [`wait=${MAX_WAIT_SECONDS + 1}`, MAX_WAIT_SECONDS],
  ['wait=0', undefined],
  ['wait=-1', undefined],
  ['wait=1.5', undefined],
  ['wait', undefined],
  ['waiting=5', undefined],
  ['', undefined],
  [undefined, undefined],
])('Prefer: %s', (header, seconds) => {
  expect(parseWait(header)).toBe(seconds)
})
