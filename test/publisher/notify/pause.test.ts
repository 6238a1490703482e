import { expect, test } from 'vitest'
import { pauseMs } from '../../../agent/publisher/notify/pause.ts'

test('doubles up to its most, with up to half taken off', () => {
  const pauses = [1, 2, 3, 4, 5, 60].map(attempt => pauseMs('unreachable', attempt, 0))
  expect(pauses).toEqual([1_000, 2_000, 4_000, 8_000, 15_000, 15_000])
  expect(pauseMs('waiting', 1, 1)).toBe(250)
})

test('is never less than the host asked for', () => {
  expect(pauseMs('unreachable', 1, 0.5, 30_000)).toBe(30_000)
})
