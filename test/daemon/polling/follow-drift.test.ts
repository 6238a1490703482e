import { setImmediate as turn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { Outcome } from '../../../agent/core/outcome/outcome.ts'
import { PAUSE_MS } from '../../../agent/core/outcome/repairs.ts'
import type { CycleEnd } from '../../../agent/daemon/cycle/run-cycle.ts'
import { followDrift } from '../../../agent/daemon/polling/follow-drift.ts'

/** Looks and sleeps that end when they are told to. */
function controlled() {
  const looks: PromiseWithResolvers<CycleEnd>[] = []
  const sleeps: { ms: number; wake(): void }[] = []
  const drifted = followDrift({
    daemon: {
      hint: () => {
        const look = Promise.withResolvers<CycleEnd>()
        looks.push(look)
        return look.promise
      },
    },
    random: () => 1,
    signal: new AbortController().signal,
    sleep: ms => new Promise(wake => sleeps.push({ ms, wake })),
  })
  const end = async (how: Partial<Outcome> = {}) => {
    const unchanged: Outcome = { outcome: 'unchanged', message: '', steps: [], trusted: [] }
    looks.at(-1)?.resolve({ outcome: { ...unchanged, ...how }, quiet: true })
    await turn()
  }
  return { looks, sleeps, drifted, end }
}

test('any number of changes during a look are one more look', async () => {
  const { looks, drifted, end } = controlled()
  for (let n = 0; n < 100; n++) drifted()
  expect(looks).toHaveLength(1)
  drifted()
  await end()
  expect(looks).toHaveLength(2)
  await end()
  expect(looks).toHaveLength(2)
  drifted()
  expect(looks).toHaveLength(3)
})

test.each<[string, Partial<Outcome>]>([
  ['who keeps writing back', { outcome: 'host-refused', code: 'contested' }],
  ['a repair that was undone, which the watch sees too,', { outcome: 'rolled-back' }],
  ['a repair that could not even be undone', { outcome: 'rollback-failed' }],
])('%s is looked at once a minute', async (_, how) => {
  const { looks, sleeps, drifted, end } = controlled()
  drifted()
  await end(how)
  expect(sleeps.map(({ ms }) => ms)).toEqual([PAUSE_MS])
  for (let n = 0; n < 100; n++) drifted()
  await turn()
  expect(looks).toHaveLength(1)
  sleeps[0]?.wake()
  await turn()
  expect(looks).toHaveLength(2)
})

test('a look that failed is tried again, further apart each time', async () => {
  const { looks, sleeps, drifted } = controlled()
  drifted()
  for (const ms of [2000, 4000, 8000]) {
    looks.at(-1)?.reject(new Error('no provisioner'))
    await turn()
    expect(sleeps.at(-1)?.ms).toBe(ms)
    sleeps.at(-1)?.wake()
    await turn()
  }
  expect(looks).toHaveLength(4)
})
