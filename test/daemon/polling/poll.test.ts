import { describe, expect, test } from 'vitest'
import type { Outcome } from '../../../agent/core/outcome/outcome.ts'
import type { Fetched } from '../../../agent/core/protocol/source.ts'
import { type Hint, hintedCycles } from '../../../agent/daemon/cycle/hinted-cycles.ts'
import type { CycleEnd } from '../../../agent/daemon/cycle/run-cycle.ts'
import { keepPolling } from '../../../agent/daemon/polling/poll.ts'

const POLL = 300_000
const HOUR = 3_600_000
const NOTHING: Fetched = { kind: 'not-modified', etag: '"1"' }
const NEWS: Fetched = { kind: 'bundle', bytes: new Uint8Array(), etag: '"2"' }
const AWAY: Fetched = { kind: 'unavailable', code: 'unreachable', message: '' }

interface Played {
  cycle?: (hint: Hint, at: number) => Partial<CycleEnd> & { end?: Outcome['outcome'] }
  /** What a held request gives, and after how long. */
  hold?: (wait: number, at: number) => { reply: Fetched; afterMs: number }
}

/** Plays an hour of a resident's clock. */
async function play({ cycle = () => ({}), hold }: Played) {
  let now = 0
  let hasty = 0
  const told: number[] = []
  const stop = new AbortController()
  const pass = (ms: number) => {
    now += ms
    if (now >= HOUR) stop.abort()
  }
  const looks: { hint: Hint; at: number }[] = []
  const holds: { wait: number; at: number }[] = []
  const daemon = {
    async hint(hint: Hint): Promise<CycleEnd> {
      looks.push({ hint, at: now })
      pass(50)
      const { end = 'unchanged', ...more } = cycle(hint, now)
      const outcome: Outcome = { outcome: end, message: '', steps: [], trusted: [] }
      return { outcome, quiet: true, etag: '"1"', ...more }
    },
  }
  const clock = {
    pollMs: POLL,
    random: () => 0.5,
    now: () => now,
    signal: stop.signal,
    sleep: async (ms: number) => pass(ms),
  }
  const longPoll = hold && {
    async hold(_etag: string, wait: number) {
      holds.push({ wait, at: now })
      const { reply, afterMs } = hold(wait, now)
      pass(afterMs)
      return reply
    },
    onHasty: () => {
      hasty += 1
    },
    onHold: (ms: number) => void told.push(ms),
  }
  await keepPolling(daemon, clock, longPoll)
  return { looks, holds, hasty, told }
}

const held = (wait: number) => ({ reply: NOTHING, afterMs: wait * 1000 })

describe('keepPolling', () => {
  test('looks at once, and then at the pace of the poll', async () => {
    const { looks } = await play({})
    expect(looks[0]).toEqual({ hint: 'start', at: 0 })
    expect(looks.length).toBe(13)
  })

  test('asks again soon while the source is away, and never sooner than it asked for', async () => {
    const away = { end: 'source-unavailable' as const }
    expect((await play({ cycle: () => away })).looks.length).toBeGreaterThan(20)
    const told = await play({ cycle: () => ({ ...away, retryAfterSeconds: 1800 }) })
    expect(told.looks).toHaveLength(2)
  })

  test('holds requests of a minute at most, and looks whole at the pace of the poll', async () => {
    const { looks, holds, hasty, told } = await play({ hold: held })
    expect(looks.length).toBe(13)
    expect(Math.max(...holds.map(({ wait }) => wait))).toBe(60)
    expect(holds.length).toBeLessThan(70)
    expect(hasty).toBe(0)
    expect(new Set(told)).toEqual(new Set([POLL * 0.95]))
  })

  test('what a held request brings is looked at at once', async () => {
    let published = false
    const { looks } = await play({
      cycle: hint => (hint === 'long-poll' ? { end: 'applied', etag: '"2"' } : {}),
      hold(wait, at) {
        if (at < 1_000_000 || published) return held(wait)
        published = true
        return { reply: NEWS, afterMs: 1234 }
      },
    })
    const news = looks.find(({ hint }) => hint === 'long-poll')
    expect(news?.at).toBeLessThan(1_000_000 + 60_000 + 1234)
  })

  test.each<[string, Played['hold']]>([
    ['knows nothing of Prefer', () => ({ reply: NOTHING, afterMs: 20 })],
    ['knows nothing of ETags', () => ({ reply: { ...NEWS, etag: '"1"' }, afterMs: 20 })],
  ])('a source that %s is asked at the pace of the poll', async (_, hold) => {
    const { looks, holds, hasty } = await play(hold === undefined ? {} : { hold })
    expect(looks.length).toBe(13)
    expect(holds.length).toBe(13)
    expect(hasty).toBe(13)
  })

  test.each<[string, Fetched]>([
    ['answers another ETag each time', NEWS],
    ['refuses what holds', AWAY],
    ['answers HTML to what holds', { kind: 'refused', code: 'html', message: '' }],
  ])('a source that %s does not make us spin', async (_, reply) => {
    const { looks, holds } = await play({ hold: () => ({ reply, afterMs: 20 }) })
    expect(holds.length).toBeLessThan(45)
    expect(looks.length).toBeLessThan(45)
  })

  test('Retry-After on a held request is kept', async () => {
    const reply: Fetched = { ...AWAY, retryAfterSeconds: 1800 } as Fetched
    const { holds } = await play({ hold: () => ({ reply, afterMs: 20 }) })
    expect(holds).toHaveLength(2)
  })
})

test('a request that is held holds up no hint', async () => {
  const stop = new AbortController()
  const hints: Hint[] = []
  const outcome: Outcome = { outcome: 'unchanged', message: '', steps: [], trusted: [] }
  const end: CycleEnd = { outcome, quiet: true, etag: '"1"' }
  const daemon = hintedCycles({
    cycle: async () => end,
    repair: async () => end,
    onEnd: (_, hint) => hints.push(hint),
    onError: error => {
      throw error
    },
  })
  const holding = Promise.withResolvers<void>()
  const polling = keepPolling(
    daemon,
    {
      pollMs: POLL,
      random: () => 0,
      now: () => 0,
      signal: stop.signal,
      sleep: async () => {},
    },
    {
      hold: () =>
        new Promise((_, reject) => {
          stop.signal.addEventListener('abort', () => reject(stop.signal.reason))
          holding.resolve()
        }),
      onHasty: () => {},
      onHold: () => {},
    },
  )
  await holding.promise
  await Promise.all([daemon.hint('webhook'), daemon.hint('drift')])
  expect(hints).toEqual(['start', 'webhook', 'drift'])
  stop.abort()
  await polling
})
