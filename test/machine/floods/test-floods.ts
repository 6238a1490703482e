// Thousands of webhooks of all kinds at once, while the bundle changes again and again.

import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { rounds } from '../../campaign.ts'
import { describeTier } from '../../sshd/describe-tier.ts'
import { makeCa } from '../../sshd/ssh-ca.ts'
import { machineTier } from '../harness/available.ts'
import type { Suite } from '../harness/base.ts'
import { login } from '../harness/login.ts'
import { pssOf } from '../harness/memory.ts'
import { ourProcesses } from '../hosts/installed-host.ts'
import { bootWebhookHost, type WebhookHost } from '../hosts/webhook-host.ts'
import { sshdProbe } from '../probe/sshd-probe.ts'
import type { FloodOrder, Tally } from './flood-process.ts'

const COUNT = rounds({ slice: 500, whole: 5_000 })
const CHANGES = rounds({ slice: 6, whole: 60 })
const EVERY = 82
const UNITS = ['pomerium-host-agent-webhook', 'pomerium-host-agent-provisioner']

export function testFlood(suite: Suite): void {
  describeTier(`${COUNT} webhooks on ${suite}`, machineTier(), () => {
    test('the genuine ones are heard, no other is, and the last bundle is in force', async ({
      annotate,
    }) => {
      await using before = await makeCa()
      await using other = await makeCa()
      await using last = await makeCa()
      await using it = await bootWebhookHost({ suite })
      await it.publish(other.publicKey)
      expect((await it.rotate()).status).toBe(200)

      const probe = await sshdProbe(it.host)
      const memory = sampleMemory(it)
      const tally = await flood(it, async change => {
        const ca = change === CHANGES ? last : change % 2 === 1 ? before : other
        await it.publish(ca.publicKey)
      })
      const samples = await memory.stop()
      const { attempts, failures, longestGapMs } = await probe.stop()

      expect(Object.keys(tally.valid).filter(answer => !['200', '202'].includes(answer))).toEqual(
        [],
      )
      for (const kind of ['forged', 'stale', 'replayed'] as const) {
        expect(Object.keys(tally[kind])).toEqual(['401'])
      }
      expect(Object.keys(tally.oversized)).toEqual(['413'])
      expect(Object.keys(tally.slow)).toEqual(['408'])

      // Not at a moment at which sshd is being restarted, and the last restart may have been put off.
      await it.host.waitFor(
        'the last CA',
        async () => {
          const now = await login(it.host, { ca: last })
          const then = await login(it.host, { ca: before })
          return now.outcome === 'accepted' && then.outcome === 'refused'
        },
        30_000,
      )

      // While sshd restarts nobody can log in; that is all.
      expect(longestGapMs).toBeLessThan(2_000)
      expect(failures.length / attempts).toBeLessThan(0.2)
      const growth = samples.map(kib => {
        const [early, late] = [0.25, 0.75].map(from =>
          median(kib.slice(kib.length * from, kib.length * (from + 0.25))),
        )
        return { early, late }
      })
      await annotate(
        JSON.stringify({ tally, longestGapMs, failures: failures.length, attempts, growth }),
      )
      // V8 lets its heap grow to a multiple of what lives in it before it stays: bounded, in KiB.
      const [daemon, provisioner] = growth
      expect(daemon?.late).toBeLessThan(200 * 1024)
      expect(provisioner?.late).toBeLessThan(96 * 1024)
      for (const { early = 0, late = 0 } of growth) expect(late).toBeLessThan(early * 1.75)
      await it.host.waitFor('sleep', async () => (await ourProcesses(it)).length === 0, 120_000)
    })
  })
}

/** Sends them all, and changes the bundle on the way. */
async function flood(it: WebhookHost, change: (n: number) => Promise<void>): Promise<Tally> {
  const process_ = it.host.inNetwork([
    process.execPath,
    join(import.meta.dirname, 'flood-process.ts'),
  ])
  const order: FloodOrder = {
    secret: it.secret,
    port: 9444,
    count: COUNT,
    connections: 32,
    everyAnswers: EVERY,
  }
  process_.stdin.write(`${JSON.stringify(order)}\n`)
  let changes = 0
  for await (const line of createInterface({ input: process_.stdout })) {
    if (!line.startsWith('sent')) return JSON.parse(line) as Tally
    if (changes < CHANGES) await change(++changes)
  }
  const { stderr } = await process_.done
  throw new Error(`the flood broke off: ${stderr}`)
}

// The two processes' memory, every second or so, in KiB.
function sampleMemory({ host }: WebhookHost): { stop(): Promise<number[][]> } {
  const samples: number[][] = UNITS.map(() => [])
  const ended = new AbortController()
  const sampling = (async () => {
    while (!ended.signal.aborted) {
      for (const [at, unit] of UNITS.entries()) {
        const kib = await pssOf(host, `${unit}.service`)
        if (kib !== undefined) samples[at]?.push(kib)
      }
      await sleep(1_000, undefined, { signal: ended.signal }).catch(() => {})
    }
  })()
  return {
    async stop() {
      ended.abort()
      await sampling
      return samples
    },
  }
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0
}
