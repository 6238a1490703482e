import { expect, test } from 'vitest'
import { coalesceHints } from '../../../agent/daemon/cycle/coalesce-hints.ts'

/** A cycle that ends when it is told to. */
function controlled() {
  const ends: ((value: number) => void)[] = []
  const runner = coalesceHints(() => new Promise<number>(resolve => ends.push(resolve)))
  return { runner, ends }
}

test('any number of hints while one cycle runs become one more cycle', async () => {
  const { runner, ends } = controlled()
  const first = runner.hint()
  const others = Array.from({ length: 100 }, () => runner.hint())
  expect(ends).toHaveLength(1)
  ends[0]?.(1)
  expect(await first).toBe(1)
  await new Promise(setImmediate)
  expect(ends).toHaveLength(2)
  ends[1]?.(2)
  expect(new Set(await Promise.all(others))).toEqual(new Set([2]))
  await runner.settled()
  expect(ends).toHaveLength(2)
})

test('a cycle that throws tells its hints, and the next runs all the same', async () => {
  let runs = 0
  const runner = coalesceHints(async () => {
    runs += 1
    if (runs === 1) throw new Error('the first fails')
    return runs
  })
  const failing = runner.hint()
  const next = runner.hint()
  await expect(failing).rejects.toThrow('the first fails')
  expect(await next).toBe(2)
  expect(await runner.hint()).toBe(3)
  expect(runner.isBusy()).toBe(false)
})
