import { expect, test } from 'vitest'
import {
  formatDistance,
  formatSpan,
  formatTime,
  parseTimespan,
} from '../../../agent/core/basics/time-span.ts'

test.each<[number, string]>([
  [0, '0 s'],
  [1_400, '1 s'],
  [119_000, '119 s'],
  [120_000, '2 min'],
  [7_199_000, '119 min'],
  [7_200_000, '2 h'],
  [172_800_000, '2 days'],
  [-172_800_000, '2 days'],
])('%d ms is %s', (ms, text) => {
  expect(formatSpan(ms)).toBe(text)
})

test('before and after', () => {
  const now = new Date('2026-11-20T10:00:00Z')
  expect(formatDistance(new Date('2026-11-20T10:05:00Z'), now)).toBe('in 5 min')
  expect(formatDistance(new Date('2026-11-20T09:55:00Z'), now)).toBe('5 min ago')
  expect(formatTime(now)).toBe('2026-11-20 10:00Z')
})

// As `systemctl show` of 247, 252 and 257 prints them.
test.each<[string, number | undefined]>([
  ['15s', 15_000],
  ['5min 20.123456s', 320_123.456],
  ['1w 2d 3h', 788_400_000],
  ['3month 1us', 7_889_400_000.001],
  ['500ms', 500],
  ['0', 0],
  ['infinity', Number.POSITIVE_INFINITY],
  ['', undefined],
  ['soon', undefined],
])('%j is %s ms', (text, ms) => {
  const read = parseTimespan(text)
  if (ms === undefined) expect(read).toBeUndefined()
  else expect(read).toBeCloseTo(ms, 3)
})
