import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { describeTier } from '../../sshd/describe-tier.ts'
import { machineTier } from '../harness/available.ts'
import { suites } from '../harness/base.ts'
import type { FleetHost } from '../hosts/fleet-host.ts'
import { proofScript, watch } from '../hosts/operator.ts'
import { givenFleet } from './given-fleet.ts'

const HOSTS = 25
const BROKEN = '/etc/ssh/sshd_config.d/00-broken.conf'
// Longer than the ten seconds after which a webhook is answered 202.
const SLOW = '[Service]\nExecStartPre=/bin/sleep 12\nTimeoutStartSec=60\n'

// Hosts of all three suites, and five that are not as they should be, as a fleet has them.
describeTier('bundle rotate over a fleet', machineTier(), () => {
  test('25 hosts, 3 out of reach, 1 with a broken sshd, 1 slow; killed at every step', async () => {
    await using given = await givenFleet({ instances: 4096 })
    const { network, before, after, bundle, file } = given
    const fleet: FleetHost[] = []
    const boot = async (at: number) => {
      for (; at < HOSTS; at += 4) {
        const it = await given.boot({
          suite: suites[at % suites.length] ?? 'bookworm',
          prepare: async files => {
            const unit = '/etc/systemd/system/ssh.service.d/slow.conf'
            if (at === SLOW_AT) await files.write(unit, SLOW)
          },
        })
        fleet[at] = it
        await it.poll(before)
      }
    }
    const booting = performance.now()
    await Promise.all([0, 1, 2, 3].map(boot))
    process.stdout.write(`booted and enrolled in ${seconds(booting)} s\n`)
    const [proved, broken, slow, ...rest] = fleet as [FleetHost, FleetHost, FleetHost]
    const away = (rest as FleetHost[]).slice(-3)
    const reachable = fleet.filter(host => !away.includes(host))
    for (const host of fleet) expect(await host.caFile()).toContain(before.publicKey)
    for (const { host } of away) await network.cable(host, 'down')
    await broken.host.write(BROKEN, 'NoSuchKeyword yes\n')

    await using watcher = watch(reachable, before)
    const prove = file('prove.sh')
    // Steps that last long enough to be killed in.
    const lasting = ['--publish-command', 'sleep 0.3', '--timeout', '30s']
    const proving = ['--prove-command', `sh ${prove}`]
    const { rotate, stateFile } = given.rotation(fleet, ...lasting, ...proving)
    const step = (name: string) => (state: string) => state.includes(`\nstep: ${name}\n`)
    const confirmed = (count: number, name: string) => (state: string) =>
      step(name)(state) && (state.match(/^ {4}- 10\.99/gm)?.length ?? 0) >= count
    const killed = async (when: (state: string) => boolean, args: readonly string[] = []) => {
      expect(await rotate(args, when)).toMatchObject({ code: 137 })
    }

    // It stops where four are missing, however often it is killed on the way.
    const rotating = performance.now()
    await killed(step('publish-both'))
    await killed(step('confirm-both'))
    await killed(confirmed(5, 'confirm-both'))
    await killed(confirmed(15, 'confirm-both'))
    const missing = await rotate()
    expect(missing.code).toBe(9)
    const stopped = JSON.parse(missing.stdout)
    expect(stopped).toMatchObject({ end: 'hosts-missing', step: 'confirm-both' })
    expect(stopped.missing.toSorted()).toEqual([broken, ...away].map(addressOf).toSorted())
    const states = Object.fromEntries(
      stopped.hosts.map(({ host, state }: { host: string; state: string }) => [host, state]),
    )
    expect(states[broken.address]).toBe('failed')
    expect(states[addressOf(away[0])]).toBe('unreachable')
    // The broken one is as it was, and the slow one has come.
    expect(await broken.caFile()).not.toContain(after.publicKey)
    expect(await slow.caFile()).toContain(after.publicKey)

    // One is mended and three are left behind.
    await broken.host.exec(`rm ${BROKEN}`)
    const behind = away.flatMap(({ address }) => ['--leave-behind', address])
    await killed(state => state.includes('leftBehind:\n  - 10.99'), behind)
    const ready = await rotate()
    expect(JSON.parse(ready.stdout)).toMatchObject({ end: 'switch' })
    expect(ready.code).toBe(11)

    // From here on Pomerium may sign with either, until a login through the new one is seen.
    watcher.signing(before, after)
    writeFileSync(prove, 'sleep 5')
    await killed(step('prove-login'), ['--switched'])
    const early = await proofScript(proved, before)
    writeFileSync(prove, early)
    const unproved = await rotate()
    expect(JSON.parse(unproved.stdout)).toMatchObject({ end: 'prove', step: 'prove-login' })
    expect(readFileSync(bundle, 'utf8')).toContain(before.publicKey)
    writeFileSync(prove, await proofScript(proved, after))
    watcher.signing(after)
    await killed(step('publish-new'))
    await killed(step('confirm-new'))
    await killed(confirmed(22 + 10, 'confirm-new'))
    // Three were left behind, and it is not done without them.
    const behindStill = await rotate()
    expect(behindStill).toMatchObject({ code: 9 })
    const named = JSON.parse(behindStill.stdout)
    expect(named).toMatchObject({
      end: 'hosts-missing',
      missing: away.map(addressOf),
      leftBehind: away.map(addressOf),
      confirmed: { new: { length: 22 } },
    })
    expect(named.hosts).toHaveLength(HOSTS)
    process.stdout.write(`rotated in ${seconds(rotating)} s, ${watcher.looks()} looks\n`)
    expect(readFileSync(stateFile, 'utf8')).not.toContain(given.secret)

    // Every login is proved: the new CA's is let in, the old one's is not.
    for (const host of reachable) {
      expect([host.address, (await host.login(after)).outcome]).toEqual([host.address, 'accepted'])
      expect([host.address, (await host.login(before)).outcome]).toEqual([host.address, 'refused'])
    }
    expect(watcher.troubles).toEqual([])
    expect(watcher.looks()).toBeGreaterThan(5_000)

    // Those left behind come back and need nobody.
    for (const it of away) {
      expect(await it.caFile()).toContain(before.publicKey)
      await network.cable(it.host, 'up')
      await it.poll(after)
      // Once sshd is back from its restart.
      await it.host.waitFor('its logins', async () => {
        const outcomes = [await it.login(after), await it.login(before)]
        return outcomes.map(({ outcome }) => outcome).join() === 'accepted,refused'
      })
    }
    const done = await rotate()
    expect(done).toMatchObject({ code: 0 })
    expect(JSON.parse(done.stdout)).toMatchObject({
      end: 'done',
      confirmed: { new: { length: 25 } },
    })
    expect(existsSync(stateFile)).toBe(false)
  }, 600_000)
})

const SLOW_AT = 2

const addressOf = (host: FleetHost | undefined) => host?.address ?? ''
const seconds = (since: number) => ((performance.now() - since) / 1000).toFixed(0)
