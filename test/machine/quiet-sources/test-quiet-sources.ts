// How often a host asks its source, and wakes its root side, whatever a look at the source comes to.

import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parsePollRecord } from '../../../agent/core/report/poll-record.ts'
import { unitDropIns, unitsToStart } from '../../../agent/core/services/unit-drop-ins.ts'
import { campaign, rounds } from '../../campaign.ts'
import type { Behaviour } from '../../control-plane/behaviour.ts'
import { defaultConfig } from '../../provisioner/temporary-host.ts'
import { describeTier } from '../../sshd/describe-tier.ts'
import { makeCa } from '../../sshd/ssh-ca.ts'
import { machineTier } from '../harness/available.ts'
import type { Suite } from '../harness/base.ts'
import type { HostFiles } from '../harness/host-files.ts'
import { shareOf } from '../harness/share.ts'
import type { AgentHost } from '../hosts/agent-host.ts'
import { bootInstalledHost } from '../hosts/installed-host.ts'
import { bootWebhookHost } from '../hosts/webhook-host.ts'

const AT_ONCE = 9
/** A slice has four polls: who asks three times as often has asked more often than it may. */
const WATCHED_MS = rounds({ slice: 40_000, whole: 120_000 })
const POLL_SECONDS = 10
const HTML: Behaviour = { mode: 'html' }
const WAIT_MS = 60_000
const AWAY: Behaviour = { mode: 'retry-after', status: 503, value: String(WAIT_MS / 1000) }

/** What a look can come to, and how it is brought about once the host is up. */
const OUTCOMES: Record<string, (it: AgentHost) => Promise<unknown>> = {
  unreachable: it => it.stopControlPlane(),
  'hung up on': it => it.behave({ mode: 'hang-up' }),
  '503 with Retry-After': it => it.behave(AWAY),
  '404': it => it.behave({ mode: 'status', status: 404 }),
  html: it => it.behave(HTML),
  refused: it => it.publish('no key at all'),
  'host-refused': it => it.host.write('/etc/ssh/sshd_config.d/00-broken.conf', 'Nonsense yes\n'),
  unchanged: async () => {},
  // The host's own, made as small as what is in it.
  'a full /run': it =>
    it.host.exec(
      `used=$(df --output=used -k /run | tail -1 | tr -d ' ')
       mount -o remount,size=$((used + 16))k /run && head -c 16M /dev/zero >/run/fill; true`,
    ),
}
const WAYS = ['asleep', 'awake', 'resident'] as const
type Way = (typeof WAYS)[number]

export function testQuietSource(suite: Suite): void {
  describeTier(`what a source hears of a host on ${suite}`, machineTier(), () => {
    test('one look, then the interval, whatever the look came to', async () => {
      await using ca = await makeCa()
      const outcomes = shareOf(suite, Object.keys(OUTCOMES))
      const size = { slice: outcomes.length, whole: outcomes.length * WAYS.length }
      const { numRuns, seed } = campaign(`a quiet source on ${suite}`, size)
      const [first = 0] = fc.sample(fc.nat(WAYS.length - 1), { numRuns: 1, seed })
      const cases = Array.from({ length: numRuns }, (_, at): [string, Way] => [
        outcomes[at % outcomes.length] ?? '',
        WAYS[(first + at + Math.floor(at / outcomes.length)) % WAYS.length] ?? 'asleep',
      ])
      const counts: string[] = []
      for (let at = 0; at < cases.length; at += AT_ONCE) {
        const together = cases.slice(at, at + AT_ONCE)
        counts.push(...(await Promise.all(together.map(each => live(suite, ca.publicKey, each)))))
      }
      process.stdout.write(`${counts.join('\n')}\n`)
    }, 1_200_000)
  })
}

/** Lives through one case; returns what was counted. */
async function live(suite: Suite, key: string, [outcome, way]: [string, Way]): Promise<string> {
  await using it = await (way === 'resident' ? bootResident(suite) : bootAsleep(suite))
  await it.publish(key)
  await OUTCOMES[outcome]?.(it)
  const before = await counts(it)
  const scrape =
    'while sleep 0.5; do curl -s -o /dev/null --max-time 5 http://127.0.0.1:9444/metrics; done'
  const scraper = way === 'awake' ? it.host.spawn(scrape) : undefined
  await sleep(WATCHED_MS)
  scraper?.kill()
  const after = await counts(it)
  const [cycles = 0, starts = 0, asked = 0] = after.map((count, at) => count - (before[at] ?? 0))
  const said = `${outcome}, ${way}: ${cycles} cycles, ${starts} root starts, ${asked} requests`
  // The resident's back-off begins with a second and ends with the interval, half of it on average.
  const polls = WATCHED_MS / 1000 / POLL_SECONDS
  const waits = outcome === '503 with Retry-After'
  const most = waits
    ? Math.ceil(WATCHED_MS / WAIT_MS) + 1
    : way === 'resident'
      ? polls * 5
      : polls + 3
  for (const count of [cycles, starts, asked]) expect(count, said).toBeLessThanOrEqual(most)
  expect(cycles, said).toBeGreaterThan(0)
  return said
}

/** Cycles that ended, starts of the root side, requests that the source had. */
async function counts(it: AgentHost): Promise<number[]> {
  const polls = parsePollRecord(
    await it.host.read('/var/lib/pomerium-host-agent-daemon/polls.json').catch(() => ''),
  )
  const journal = await it.host.journal('pomerium-host-agent-provisioner.service')
  return [
    Object.values(polls.cycles).reduce((sum, count) => sum + count, 0),
    journal.match(/ Starting /g)?.length ?? 0,
    await it.asked(),
  ]
}

const config = () => {
  const usual = defaultConfig()
  return { ...usual, source: { ...usual.source, pollIntervalSeconds: POLL_SECONDS } }
}

const layDropIns = async (files: HostFiles, resident: boolean) => {
  for (const { path, content } of unitDropIns(config(), { resident })) {
    if (content !== undefined) await files.write(path, content)
  }
}

const bootAsleep = (suite: Suite) =>
  bootWebhookHost({ suite, prepare: files => layDropIns(files, false) })

const bootResident = (suite: Suite) =>
  bootInstalledHost({
    suite,
    config: `  poll_interval: ${POLL_SECONDS}s\n`,
    units: unitsToStart(config(), { resident: true }).wanted,
    prepare: files => layDropIns(files, true),
  })
