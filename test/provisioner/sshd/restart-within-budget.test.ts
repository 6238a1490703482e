import { beforeEach, expect, test } from 'vitest'
import type { StartLimit } from '../../../agent/core/services/restart-budget.ts'
import {
  restartOrDefer,
  restartWithinBudget,
} from '../../../agent/provisioner/sshd/restart-within-budget.ts'
import { fakeClock } from './fake-host.ts'

let restarts: number[]
let restarted: number
beforeEach(() => {
  restarts = []
  restarted = 0
})

const DEFAULT = { burst: 5, intervalSeconds: 10 }

function restarter(limit: StartLimit | undefined) {
  const clock = fakeClock()
  const service = {
    state: async () => ({ kind: 'unmanaged' as const }),
    limit: async () => limit,
    restart: async () => {
      // Written down before it is done.
      expect(restarts.at(-1)).toBe(clock.now())
      restarted += 1
    },
  }
  const history = {
    read: () => ({ recent: restarts, total: restarts.length }),
    add: (at: number) => restarts.push(at),
  }
  return { service, history, clock }
}

test('three rotations at once, the fourth is deferred', async () => {
  const given = restarter(DEFAULT)
  for (let n = 1; n <= 3; n++) expect(await restartOrDefer(given)).toEqual({ kind: 'restarted' })
  const deferred = await restartOrDefer(given)
  expect(deferred).toEqual({ kind: 'deferred', untilMs: given.clock.now() + 11_000 })
  expect(restarted).toBe(3)
  await given.clock.sleep(11_000)
  expect(await restartOrDefer(given)).toEqual({ kind: 'restarted' })
})

test('a change waits for its turn, a rollback for nobody', async () => {
  const given = restarter(DEFAULT)
  for (let n = 1; n <= 3; n++) await restartWithinBudget(given, 'change')
  expect(given.clock.slept).toEqual([])
  await restartWithinBudget(given, 'rollback')
  expect(given.clock.slept).toEqual([])
  await restartWithinBudget(given, 'change')
  expect(given.clock.slept).toEqual([11_000])
  expect(restarted).toBe(5)
})

test.each([3_600, Number.POSITIVE_INFINITY])('waits a minute at most (%s s)', async interval => {
  const given = restarter({ burst: 1, intervalSeconds: interval })
  await restartWithinBudget(given, 'change')
  await restartWithinBudget(given, 'change')
  expect(given.clock.slept).toEqual([60_000])
  expect(restarted).toBe(2)
})

test('no limit, no wait', async () => {
  const given = restarter(undefined)
  for (let n = 1; n <= 20; n++) await restartWithinBudget(given, 'change')
  expect(given.clock.slept).toEqual([])
})
