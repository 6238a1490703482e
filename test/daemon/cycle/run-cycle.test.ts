import { beforeEach, describe, expect, test } from 'vitest'
import type { Outcome } from '../../../agent/core/outcome/outcome.ts'
import type { ProvisionRequest } from '../../../agent/core/protocol/provision-protocol.ts'
import type { Fetched } from '../../../agent/core/protocol/source.ts'
import type { PollRecord } from '../../../agent/core/report/poll-record.ts'
import { type CycleParts, runCycle } from '../../../agent/daemon/cycle/run-cycle.ts'

const KEY = { type: 'ssh-ed25519', fingerprint: 'SHA256:x', comment: 'ca' }
const APPLIED: Outcome = { outcome: 'applied', message: '', steps: [], trusted: [KEY] }
const BUNDLE: Fetched = { kind: 'bundle', bytes: Buffer.from('x'), etag: '"1"' }
const START = Date.parse('2026-11-20T10:00:00Z')

let polls: PollRecord
let asked: ProvisionRequest[]
let etags: (string | undefined)[]
let now: number
beforeEach(() => {
  polls = { version: 1, cycles: {} }
  asked = []
  etags = []
  now = START
})

function parts(fetched: Fetched, outcome = APPLIED): CycleParts {
  return {
    fetch: async etag => {
      etags.push(etag)
      return fetched
    },
    ask: async request => {
      asked.push(request)
      return { kind: 'outcome', outcome }
    },
    trusted: () => [KEY],
    pollRecord: {
      read: () => polls,
      write: next => {
        polls = next
      },
    },
    now: () => new Date(now),
  }
}

describe('runCycle', () => {
  test('hands the bytes over, and notes the ETag of what was taken', async () => {
    const { outcome, quiet } = await runCycle(parts(BUNDLE), false)
    expect({ outcome, quiet }).toEqual({ outcome: APPLIED, quiet: false })
    expect(asked).toEqual([{ op: 'apply', bundle: Buffer.from('x') }])
    expect(polls).toMatchObject({ etag: '"1"', lastSuccess: new Date(START).toISOString() })
  })

  test('a full disk for its notes is told, and hides nothing of what was done', async () => {
    const write = () => {
      throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
    }
    const full = {
      ...parts(BUNDLE, { ...APPLIED, outcome: 'unchanged' }),
      pollRecord: { read: () => polls, write },
    }
    const { outcome, quiet } = await runCycle(full, false)
    expect(outcome).toMatchObject({ outcome: 'unchanged', trusted: [KEY] })
    expect(outcome.warnings).toEqual([expect.stringContaining('no space left')])
    expect(quiet).toBe(false)
  })

  test('an unchanged source wakes nobody, for an hour at most', async () => {
    await runCycle(parts(BUNDLE), false)
    now += 59 * 60_000
    const { outcome, quiet } = await runCycle(parts({ kind: 'not-modified' }), false)
    expect(outcome).toMatchObject({ outcome: 'unchanged', trusted: [KEY] })
    expect(quiet).toBe(true)
    now += 60_000
    await runCycle(parts(BUNDLE), false)
    expect(etags).toEqual([undefined, '"1"', undefined])
    expect(asked).toHaveLength(2)
  })

  test('a webhook has the bundle go the whole way', async () => {
    await runCycle(parts(BUNDLE), false)
    await runCycle(parts(BUNDLE), true)
    expect(etags).toEqual([undefined, undefined])
  })

  test.each<Outcome['outcome']>(['refused', 'host-refused', 'rolled-back'])(
    'what ended %s is fetched again next time',
    async end => {
      await runCycle(parts(BUNDLE, { ...APPLIED, outcome: end, code: 'x' }), false)
      await runCycle(parts(BUNDLE), false)
      expect(etags).toEqual([undefined, undefined])
    },
  )

  test('a source that is away leaves the host alone, and what it said is noted', async () => {
    const away: Fetched = {
      kind: 'unavailable',
      code: 'timeout',
      message: 'm',
      retryAfterSeconds: 7,
    }
    const end = await runCycle(parts(away), false)
    expect(end).toMatchObject({
      outcome: { outcome: 'source-unavailable', code: 'timeout', trusted: [KEY] },
      retryAfterSeconds: 7,
    })
    expect(asked).toEqual([])
    expect(polls).toMatchObject({
      lastPoll: { outcome: 'source-unavailable', code: 'timeout', message: 'm' },
      cycles: { 'source-unavailable': 1 },
    })
    expect(polls.lastSuccess).toBeUndefined()
  })

  test('the clocks are compared; a second is no difference', async () => {
    const at = (ms: number): Fetched => ({ kind: 'not-modified', date: new Date(START + ms) })
    expect((await runCycle(parts(at(999)), false)).clockSkewSeconds).toBe(0)
    expect((await runCycle(parts(at(-45_200)), false)).clockSkewSeconds).toBe(-45)
  })

  test('what the provisioner takes for its work is no difference of clocks', async () => {
    const slow = parts({ ...BUNDLE, date: new Date(START) } as Fetched)
    const ask: CycleParts['ask'] = async request => {
      now += 40_000
      return parts(BUNDLE).ask(request)
    }
    expect((await runCycle({ ...slow, ask }, false)).clockSkewSeconds).toBe(0)
  })

  test('since a boot the bundle goes the whole way, known or not', async () => {
    await runCycle(parts(BUNDLE), false)
    await runCycle({ ...parts(BUNDLE), trusted: () => [] }, false)
    expect(etags).toEqual([undefined, undefined])
  })

  test('a provisioner that does not answer with an outcome is an error', async () => {
    const broken = {
      ...parts(BUNDLE),
      ask: async () => ({ kind: 'failed' as const, message: 'a bug' }),
    }
    await expect(runCycle(broken, false)).rejects.toThrow('a bug')
  })
})
