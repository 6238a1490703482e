// Hosts that have been up for a while, as every host in earnest has: the timer of the poll is due the moment
// it is started, and the order in which systemd starts what is to be started is drawn at each boot.

import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { campaign, rounds } from '../../campaign.ts'
import { describeTier } from '../../sshd/describe-tier.ts'
import { type Ca, makeCa } from '../../sshd/ssh-ca.ts'
import { machineTier } from '../harness/available.ts'
import type { Suite } from '../harness/base.ts'
import { bootOldHost } from '../hosts/old-host.ts'
import { type ReleaseKit, releaseKit } from '../hosts/release-kit.ts'

const HOSTS = { slice: 1, whole: 14 }
const AT_ONCE = 4
const NAME = 'pomerium-host-agent'
// Three in turn, each with a run of every unit, beside as many on other hosts.
const SLOW = { timeoutMs: 240_000 }
const VERBS = ['start', 'stop', 'restart']
const UNITS = ['.timer', '.service', '-webhook.socket', '-webhook.service', '-provisioner.socket']
const CONFIGURE = [
  'configure --resident',
  'configure --asleep',
  'configure --asleep & pomerium-host-agent configure --resident; wait; pomerium-host-agent configure --asleep',
  'configure --set source.poll_interval=2m & pomerium-host-agent configure --set webhook.listen=127.0.0.1:9445; wait',
]

/** Orders that systemd once refused. */
const ONCE_REFUSED: [string, string][] = [
  // It found the webhook's port taken by itself, where the webhook was being answered.
  ['stop', '-provisioner.socket'],
  ['restart', '-webhook.socket'],
  // It would not open a socket beneath a service that was on its way up, nor one for the sixth time in ten seconds.
  ...Array.from({ length: 4 }, (): [string, string][] => [
    ['restart', '-webhook.socket'],
    ['restart', '-provisioner.socket'],
    ['restart', '-provisioner.socket'],
  ]).flat(),
  ...Array.from({ length: 6 }, (): [string, string] => ['restart', '.timer']),
]

/** What is done to a host before it must answer a webhook again. */
const orders = fc.record({
  units: fc.array(fc.tuple(fc.constantFrom(...VERBS), fc.constantFrom(...UNITS)), {
    minLength: 4,
    maxLength: 10,
  }),
  configure: fc.shuffledSubarray(CONFIGURE.slice(0, 3), { minLength: 1 }),
})

export function testOldHosts(suite: Suite): void {
  describeTier(`${rounds(HOSTS)} old hosts on ${suite}`, machineTier(), () => {
    let kit: ReleaseKit
    let release: string
    let ca: Ca
    beforeAll(async () => {
      ;[kit, ca] = await Promise.all([releaseKit(), makeCa()])
      release = await kit.make()
    })
    afterAll(async () => {
      for (const each of [kit, ca]) await each?.[Symbol.asyncDispose]()
    })

    test('each install succeeds, and any order of units leaves a host that follows both', async () => {
      const { numRuns, seed } = campaign(`old hosts on ${suite}`, HOSTS)
      const each = fc.sample(orders, { numRuns, seed })
      for (let at = 0; at < each.length; at += AT_ONCE) {
        const together = each.slice(at, at + AT_ONCE).map(order => live(suite, order))
        await Promise.all(together)
      }
    }, 3_600_000)

    async function live(
      suite: Suite,
      { units, configure }: { units: [string, string][]; configure: string[] },
    ): Promise<void> {
      await using it = await bootOldHost(suite)
      await it.publish(ca.publicKey)
      await it.offer(release)
      await it.age()
      await it.installWell()
      await it.expectToFollow()

      for (const [verb, unit] of [...ONCE_REFUSED, ...units]) {
        const done = await it.host.exec(`systemctl ${verb} ${NAME}${unit}`, { allowFail: true })
        const order = `${verb} ${unit} of ${JSON.stringify(units)}: ${done.stderr}`
        expect(done, order).toMatchObject({ code: 0 })
      }
      await it.host.exec(`systemctl start ${NAME}-webhook.socket ${NAME}.timer`)
      await it.expectToFollow()

      for (const line of configure) {
        const done = await it.host.exec(`pomerium-host-agent ${line}`, { allowFail: true, ...SLOW })
        expect(done, line).toMatchObject({ code: 0, stderr: '' })
        await it.expectToFollow()
      }
      // Neither of two that come at once is lost.
      await it.host.exec(`pomerium-host-agent ${CONFIGURE.at(-1)}`, SLOW)
      expect(await it.host.read('/etc/pomerium/host-agent.yaml')).toMatch(
        /poll_interval: 2m[\s\S]*127\.0\.0\.1:9445/,
      )
      await it.expectToFollow('127.0.0.1:9445')
    }
  })
}
