import { describe, expect, test } from 'vitest'
import { parseHttpDate } from '../../agent/http/http-date.ts'
import { parseRetryAfter } from '../../agent/http/retry-after.ts'

const now = new Date('2026-11-20T10:00:00Z')

describe('parseHttpDate', () => {
  test.each([
    // RFC 9110 §5.6.7.
    'Sun, 06 Nov 1994 08:49:37 GMT',
    'Sunday, 06-Nov-94 08:49:37 GMT',
    'Sun Nov  6 08:49:37 1994',
  ])('reads %s', text => {
    expect(parseHttpDate(text, now)?.toISOString()).toBe('1994-11-06T08:49:37.000Z')
  })

  test('two digits are at most 50 years ahead', () => {
    expect(parseHttpDate('Sunday, 06-Nov-76 00:00:00 GMT', now)?.getUTCFullYear()).toBe(2076)
    expect(parseHttpDate('Sunday, 06-Nov-77 00:00:00 GMT', now)?.getUTCFullYear()).toBe(1977)
  })

  test.each([
    '',
    '2026-11-20T10:00:00Z',
    'Sun, 06 Nov 1994 08:49:37',
    'Sun, 06 Nov 1994 08:49:37 +0100',
    'Sun, 31 Feb 1994 08:49:37 GMT',
    'Sun, 06 Nov 1994 24:00:00 GMT',
    'Sun, 06 Nov 1994 23:60:00 GMT',
  ])('does not read %j', text => {
    expect(parseHttpDate(text, now)).toBeUndefined()
  })
})

test.each([
  ['120', 120],
  ['0', 0],
  ['3601', 3600],
  ['Fri, 20 Nov 2026 10:00:30 GMT', 30],
  ['Fri, 20 Nov 2026 09:00:00 GMT', 0],
  ['Fri, 20 Nov 2099 09:00:00 GMT', 3600],
  ['1.5', undefined],
  ['', undefined],
  [undefined, undefined],
])('Retry-After %j is %j seconds', (value, seconds) => {
  expect(parseRetryAfter(value, now)).toBe(seconds)
})
