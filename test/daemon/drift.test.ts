import { setImmediate as turn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { Outcome } from '../../agent/core/outcome.ts'
import type { CycleEnd } from '../../agent/daemon/cycle.ts'
import { CONTESTED_PAUSE_MS, followDrift } from '../../agent/daemon/drift.ts'

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
  const end = async (code?: string) => {
    const outcome: Outcome = { outcome: 'unchanged', message: '', steps: [], trusted: [] }
    looks
      .at(-1)
      ?.resolve({ outcome: code === undefined ? outcome : { ...outcome, code }, quiet: true })
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

test('who keeps writing back is looked at once a minute', async () => {
  const { looks, sleeps, drifted, end } = controlled()
  drifted()
  await end('contested')
  expect(sleeps.map(({ ms }) => ms)).toEqual([CONTESTED_PAUSE_MS])
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
