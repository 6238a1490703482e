// Many hosts that are installed in the same moment, on a machine whose cores are all busy.

import { availableParallelism } from 'node:os'
import { execa } from 'execa'
import { expect, test } from 'vitest'
import { campaignIsWhole, rounds } from '../../campaign.ts'
import { describeTier } from '../../sshd/describe-tier.ts'
import { makeCa } from '../../sshd/ssh-ca.ts'
import { machineTier } from '../harness/available.ts'
import { suites } from '../harness/base.ts'
import { login } from '../harness/login.ts'
import { makeRoom } from '../harness/network.ts'
import { bootOldHost, type OldHost } from '../hosts/old-host.ts'
import { releaseKit } from '../hosts/release-kit.ts'

const HOSTS = rounds({ slice: suites.length, whole: 30 })
const LANES = 4
// It ends with whoever started it.
const SPIN = 'while kill -0 $PPID; do :; done 2>/dev/null'

export function testInstallsAtOnce(): void {
  describeTier(`${HOSTS} installs at once`, machineTier(), () => {
    test('on old hosts and a busy machine: each succeeds, trusts the CA and follows a webhook', async () => {
      await using kit = await releaseKit()
      await using ca = await makeCa()
      await using _room = await makeRoom(4096)
      const release = await kit.make()
      const hosts: OldHost[] = []
      await using _hosts = {
        async [Symbol.asyncDispose]() {
          await Promise.all(hosts.map(each => each[Symbol.asyncDispose]()))
        },
      }
      const boot = async (lane: number) => {
        for (let at = lane; at < HOSTS; at += LANES) {
          const it = await bootOldHost(suites[at % suites.length] ?? 'bookworm')
          hosts.push(it)
          await it.publish(ca.publicKey)
          await it.offer(release)
        }
      }
      await Promise.all(Array.from({ length: LANES }, (_, lane) => boot(lane)))
      await using _busy = keepBusy()
      await Promise.all(hosts.map(it => it.age()))
      const seconds: number[] = []
      const ends = await Promise.allSettled(
        hosts.map(async it => {
          const started = performance.now()
          await it.installWell()
          seconds.push(Math.round((performance.now() - started) / 1000))
          expect((await login(it.host, { ca })).outcome).toBe('accepted')
          await it.expectToFollow()
        }),
      )
      process.stdout.write(`${HOSTS} installs took ${seconds.join()} s\n`)
      expect(ends.filter(({ status }) => status === 'rejected')).toEqual([])
      expect(hosts.length).toBe(HOSTS)
    }, 3_600_000)
  })
}

/** As many shells that only spin as there are cores; `npm test` keeps its machine busy by itself. */
function keepBusy(): AsyncDisposable {
  const spinning = Array.from({ length: campaignIsWhole ? availableParallelism() : 0 }, () =>
    execa('sh', ['-c', SPIN], { reject: false, forceKillAfterDelay: false }),
  )
  return {
    async [Symbol.asyncDispose]() {
      for (const each of spinning) each.kill('SIGKILL')
      await Promise.all(spinning)
    },
  }
}
