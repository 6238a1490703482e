import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { nextPollMs } from '../../../agent/daemon/polling/backoff.ts'

const POLL = 300_000

describe('nextPollMs', () => {
  test('after a success: the interval, less up to a tenth', () => {
    expect(nextPollMs({ failures: 0, pollMs: POLL, random: 0 })).toBe(POLL)
    expect(nextPollMs({ failures: 0, pollMs: POLL, random: 1 })).toBe(POLL * 0.9)
  })

  test('after failures: within a doubling ceiling, never past the interval', () => {
    const input = fc.record({
      failures: fc.integer({ min: 1, max: 1000 }),
      random: fc.double({ min: 0, max: 1, noNaN: true }),
    })
    fc.assert(
      fc.property(input, ({ failures, random }) => {
        const ms = nextPollMs({ failures, pollMs: POLL, random })
        expect(ms).toBeGreaterThanOrEqual(100)
        expect(ms).toBeLessThanOrEqual(Math.min(POLL, 1000 * 2 ** failures))
      }),
    )
  })

  test('never sooner than the source asked for', () => {
    expect(nextPollMs({ failures: 1, pollMs: POLL, retryAfterMs: 60_000, random: 0 })).toBe(60_000)
  })
})
