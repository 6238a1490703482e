// Hosts that have been up for a while, as every host in earnest has: the timer of the poll is due the moment
// it is started, and the order in which systemd starts what is to be started is drawn at each boot.

import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { campaign, rounds } from '../campaign.ts'
import { describeTier } from '../sshd/describe-tier.ts'
import { type Ca, makeCa } from '../sshd/ssh-ca.ts'
import { machineTier } from './available.ts'
import { type BareHost, bootBareHost, SOURCE } from './bare-host.ts'
import type { Suite } from './base.ts'
import { type ReleaseKit, releaseKit } from './release-kit.ts'
import { signWebhook } from './webhook-host.ts'

const HOSTS = { slice: 1, whole: 14 }
const AT_ONCE = 4
/** Past `OnBootSec=` of the timer, with what a busy machine adds. */
const AGE_MS = 22_000
const SECRET_FILE = '/root/webhook-secret'
const LISTEN = '127.0.0.1:9444'
const NAME = 'pomerium-host-agent'
const VERBS = ['start', 'stop', 'restart']
const UNITS = ['.timer', '.service', '-webhook.socket', '-webhook.service', '-provisioner.socket']
const CONFIGURE = [
  'configure --resident',
  'configure --asleep',
  'configure --asleep & pomerium-host-agent configure --resident; wait; pomerium-host-agent configure --asleep',
  'configure --set source.poll_interval=2m & pomerium-host-agent configure --set webhook.listen=127.0.0.1:9445; wait',
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
      release = await kit.make({ compressions: ['gz'] })
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
      const secret = `whsec_${randomBytes(32).toString('base64')}`
      await using it = await bootBareHost({
        suite,
        prepare: files => files.write(SECRET_FILE, `${secret}\n`, { mode: 0o600 }),
      })
      await it.publish(ca.publicKey)
      await it.offer(release)
      await sleep(AGE_MS)
      const flags = ['--webhook-listen', LISTEN, '--webhook-secret-file', SECRET_FILE]
      const installed = await it.install([...SOURCE, ...flags])
      expect(installed, await it.host.journal()).toMatchObject({ code: 0, stderr: '' })
      await expectToFollow(it, secret)

      for (const [verb, unit] of units) {
        const done = await it.host.exec(`systemctl ${verb} ${NAME}${unit}`, { allowFail: true })
        expect(done, `${verb} ${unit} of ${JSON.stringify(units)}`).toMatchObject({ code: 0 })
      }
      await it.host.exec(`systemctl start ${NAME}-webhook.socket ${NAME}.timer`)
      await expectToFollow(it, secret)

      for (const line of configure) {
        const done = await it.host.exec(`pomerium-host-agent ${line}`, { allowFail: true })
        expect(done, line).toMatchObject({ code: 0, stderr: '' })
        await expectToFollow(it, secret)
      }
      // Neither of two that come at once is lost.
      await it.host.exec(`pomerium-host-agent ${CONFIGURE.at(-1)}`)
      expect(await it.host.read('/etc/pomerium/host-agent.yaml')).toMatch(
        /poll_interval: 2m[\s\S]*127\.0\.0\.1:9445/,
      )
      await expectToFollow(it, secret, '127.0.0.1:9445')
    }
  })
}

/** A webhook is answered by a cycle of its own, and nothing of ours has failed. */
async function expectToFollow({ host }: BareHost, secret: string, listen = LISTEN) {
  const curl = ['curl', '-s', '-o', '/dev/null', '-w', '%{http_code}', '--max-time', '15']
  // The resident listens a moment after systemd has started it.
  await host.waitFor(
    'an answer',
    async () => {
      const headers = Object.entries(signWebhook('{}', secret)).flatMap(([name, value]) => [
        '-H',
        `${name}: ${value}`,
      ])
      const line = [...curl, '-d', '{}', ...headers, `http://${listen}/webhook/rotation`]
      const { stdout } = await host.exec(line, { allowFail: true })
      // Under load a cycle may take longer than an answer waits for it.
      return stdout === '200' || stdout === '202'
    },
    60_000,
  )
  const failed = await host.exec(`systemctl list-units --failed --no-legend '${NAME}*'`)
  expect(failed.stdout).toBe('')
}
