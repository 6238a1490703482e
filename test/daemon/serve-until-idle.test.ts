import { describe, expect, test } from 'vitest'
import { serveUntilIdle, type Waking } from '../../agent/daemon/serve-until-idle.ts'

/** A played clock, on which things happen at set times. */
function play(events: { connected?: [number, number]; answer?: number; busyUntil?: number }) {
  let now = 0
  const waking: Waking = {
    isBusy: () => now < (events.busyUntil ?? 0),
    connected: () => now >= (events.connected?.[0] ?? 1e9) && now < (events.connected?.[1] ?? 0),
    lastAnswer: () => (now >= (events.answer ?? 1e9) ? events.answer : undefined),
    now: () => now,
    sleep: async ms => {
      now += ms
    },
    signal: new AbortController().signal,
  }
  return { waking, elapsed: () => now }
}

describe('serveUntilIdle', () => {
  test('nobody there: leaves at once', async () => {
    const { waking, elapsed } = play({})
    await serveUntilIdle(waking, 60_000)
    expect(elapsed()).toBeLessThan(50)
  })

  test('somebody who brings no webhook: leaves behind them', async () => {
    const { waking, elapsed } = play({ connected: [0, 2_000] })
    await serveUntilIdle(waking, 60_000)
    expect(elapsed()).toBeLessThan(2_200)
  })

  test('a webhook: stays a minute behind its answer', async () => {
    const { waking, elapsed } = play({ connected: [0, 200], answer: 200 })
    await serveUntilIdle(waking, 60_000)
    expect(elapsed()).toBeGreaterThanOrEqual(60_200)
    expect(elapsed()).toBeLessThan(62_000)
  })

  test('a cycle that outlives its sender is seen to its end', async () => {
    const { waking, elapsed } = play({ connected: [0, 100], busyUntil: 5_000 })
    await serveUntilIdle(waking, 60_000)
    expect(elapsed()).toBeGreaterThanOrEqual(5_000)
  })
})
