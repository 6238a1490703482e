import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { allowRestart } from '../../../agent/core/services/restart-budget.ts'

const NOW = 1_000_000_000
const DEFAULT = { burst: 5, intervalSeconds: 10 }
const ago = (...seconds: number[]) => seconds.map(second => NOW - second * 1000)

describe('a restart for a change', () => {
  test.each([
    ['none before', [], DEFAULT, 'now'],
    ['two of five', ago(1, 2), DEFAULT, 'now'],
    ['three of five: two stay free', ago(1, 2, 3), DEFAULT, NOW - 3_000 + 11_000],
    ['three, the oldest just out', ago(1, 2, 11), DEFAULT, 'now'],
    ['three, the oldest not quite out', ago(1, 2, 10.5), DEFAULT, NOW + 500],
    ['many', ago(1, 2, 3, 4, 5, 6), DEFAULT, NOW - 3_000 + 11_000],
    ['in any order', ago(3, 1, 2), DEFAULT, NOW - 3_000 + 11_000],
    ['from the future', ago(-1, -2, -3, -4), DEFAULT, 'now'],
    ['a burst of three', ago(1), { burst: 3, intervalSeconds: 10 }, NOW - 1_000 + 11_000],
    ['a burst of two', ago(1), { burst: 2, intervalSeconds: 10 }, NOW - 1_000 + 11_000],
    ['a burst of one, none before', [], { burst: 1, intervalSeconds: 10 }, 'now'],
    ['a burst of one', ago(1), { burst: 1, intervalSeconds: 10 }, NOW - 1_000 + 11_000],
    ['no limit', ago(1, 1, 1, 1, 1, 1, 1), undefined, 'now'],
    ['burst 0 is no limit', ago(1, 1, 1, 1, 1), { burst: 0, intervalSeconds: 10 }, 'now'],
    ['interval 0 is no limit', ago(1, 1, 1, 1, 1), { burst: 5, intervalSeconds: 0 }, 'now'],
    [
      'an interval without end',
      ago(1, 2, 3e5),
      { burst: 5, intervalSeconds: Number.POSITIVE_INFINITY },
      Number.POSITIVE_INFINITY,
    ],
  ])('%s', (_, restarts, limit, expected) => {
    const allowance = allowRestart(restarts, NOW, limit)
    expect(allowance.kind === 'now' ? 'now' : allowance.untilMs).toBe(expected)
  })
})

// systemd's ratelimit.c: a window opens with a start and counts those before it closes.
function startsOf(starts: readonly number[], intervalMs: number): number {
  return Math.max(
    0,
    ...starts.map(from => starts.filter(at => at >= from && at <= from + intervalMs).length),
  )
}

test('whatever comes, with rollbacks at any time after a change, a start stays free', () => {
  const event = fc.record({ gapMs: fc.nat(4_000), rollback: fc.boolean(), lagMs: fc.nat(900) })
  fc.assert(
    fc.property(
      fc.array(event, { maxLength: 60 }),
      fc.integer({ min: 1, max: 8 }),
      fc.integer({ min: 1, max: 30 }),
      (events, burst, intervalSeconds) => {
        const written: number[] = []
        const started: number[] = []
        let now = NOW
        let changed = false
        for (const { gapMs, rollback, lagMs } of events) {
          now += gapMs
          if (rollback && !changed) continue
          if (!rollback) {
            const allowance = allowRestart(written, now, { burst, intervalSeconds })
            if (allowance.kind === 'wait') {
              expect(allowance.untilMs).toBeGreaterThan(now)
              expect(
                allowRestart(written, allowance.untilMs, { burst, intervalSeconds }).kind,
              ).toBe('now')
              continue
            }
          }
          written.push(now)
          started.push(now + lagMs)
          now += lagMs
          // At most one rollback for each change.
          changed = !rollback
        }
        const most = Math.max(burst - 1, 2)
        expect(startsOf(started, intervalSeconds * 1000)).toBeLessThanOrEqual(most)
      },
    ),
    { numRuns: 5_000 },
  )
})
