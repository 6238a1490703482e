import { describe, expect, test } from 'vitest'
import { serveWhileAwake, type Waking } from '../../agent/daemon/awake.ts'
import type { CycleEnd } from '../../agent/daemon/cycle.ts'

/** A played clock, on which things happen at set times. */
function play(events: { connected?: [number, number]; answer?: number; due?: number }) {
  let now = 0
  const looks: number[] = []
  let lastLook = Number.NEGATIVE_INFINITY
  const waking: Waking = {
    daemon: {
      hint: async () => {
        looks.push(now)
        lastLook = now
        return {} as CycleEnd
      },
      isBusy: () => now - lastLook < 100,
    },
    connected: () => now >= (events.connected?.[0] ?? 1e9) && now < (events.connected?.[1] ?? 0),
    lastAnswer: () => (now >= (events.answer ?? 1e9) ? events.answer : undefined),
    isDue: () => now >= (events.due ?? 1e9) && lastLook < (events.due ?? 1e9),
    now: () => now,
    sleep: async ms => {
      now += ms
    },
    signal: new AbortController().signal,
  }
  return { waking, looks, elapsed: () => now }
}

describe('serveWhileAwake', () => {
  test('woken by the timer: looks once and leaves at once', async () => {
    const { waking, looks, elapsed } = play({})
    await serveWhileAwake(waking, 60_000)
    expect(looks).toHaveLength(1)
    expect(elapsed()).toBeLessThan(500)
  })

  test('woken by a webhook: that brings the cycle; stays a minute behind its answer', async () => {
    const { waking, looks, elapsed } = play({ connected: [0, 200], answer: 200 })
    await serveWhileAwake(waking, 60_000)
    expect(looks).toEqual([])
    expect(elapsed()).toBeGreaterThanOrEqual(60_200)
    expect(elapsed()).toBeLessThan(62_000)
  })

  test('kept awake by somebody who knocks, it polls all the same', async () => {
    const { waking, looks } = play({ connected: [0, 400_000], due: 300_000 })
    await serveWhileAwake(waking, 60_000)
    expect(looks).toHaveLength(1)
    expect(looks[0]).toBeLessThan(301_100)
  })
})
