import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import {
  type HostReport,
  type NotifyOptions,
  notify,
} from '../../../agent/publisher/notify/notify.ts'
import type { Reply } from '../../../agent/publisher/notify/reply.ts'
import { outcomeWith } from './outcomes.ts'

const CONVERGED: Reply = { kind: 'outcome', outcome: outcomeWith('applied', ['SHA256:a']) }
const AWAY: Reply = { kind: 'unreachable', code: 'connection-refused', message: 'nobody' }

type Script = Record<string, (attempt: number) => Promise<Reply> | Reply>

/** Runs on a clock that passes only in pauses. */
async function tell(script: Script, options: Partial<NotifyOptions<{ name: string }>> = {}) {
  let clock = 0
  const heard: HostReport[] = []
  const reports = await notify({
    targets: Object.keys(script).map(name => ({ name })),
    concurrency: 4,
    timeoutMs: 60_000,
    send: async ({ name }, attempt) => script[name]?.(attempt) ?? AWAY,
    onReport: report => heard.push(report),
    now: () => clock,
    random: () => 0,
    async sleep(ms) {
      await sleep(0)
      clock += ms
    },
    signal: new AbortController().signal,
    ...options,
  })
  return { reports, heard }
}

test('each ends for itself, in the order of the list', async () => {
  const { reports } = await tell({
    away: () => AWAY,
    slow: attempt => (attempt < 3 ? { kind: 'pending' } : CONVERGED),
    no: () => ({ kind: 'rejected', code: 'unauthorized', message: '' }),
    good: () => CONVERGED,
  })
  expect(reports.map(({ host, state }) => [host, state])).toEqual([
    ['away', 'unreachable'],
    ['slow', 'converged'],
    ['no', 'failed'],
    ['good', 'converged'],
  ])
  expect(reports.map(({ attempts }) => attempts).slice(1)).toEqual([3, 1, 1])
  expect(reports[0]?.attempts).toBeGreaterThan(3)
})

test('no more than so many are asked at once, and who pauses holds up nobody', async () => {
  let now = 0
  let most = 0
  const ask = async () => {
    now += 1
    most = Math.max(most, now)
    await sleep(2)
    now -= 1
    return CONVERGED
  }
  const script: Script = Object.fromEntries(Array.from({ length: 30 }, (_, at) => [`h${at}`, ask]))
  const away = Object.fromEntries(Array.from({ length: 8 }, (_, at) => [`a${at}`, () => AWAY]))
  const { reports } = await tell({ ...away, ...script }, { concurrency: 4 })
  expect(most).toBe(4)
  expect(reports.filter(({ state }) => state === 'converged')).toHaveLength(30)
})

test('everybody is asked once, however late', async () => {
  const { reports } = await tell({ a: () => AWAY, b: () => AWAY }, { timeoutMs: 0, concurrency: 1 })
  expect(reports.map(({ attempts }) => attempts)).toEqual([1, 1])
})

test('who interrupts is not kept waiting', async () => {
  const stop = new AbortController()
  const { reports } = await tell(
    {
      away() {
        stop.abort()
        return AWAY
      },
    },
    { signal: stop.signal },
  )
  expect(reports[0]?.attempts).toBe(1)
})
