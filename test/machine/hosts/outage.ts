// A fleet whose source is away: how often each host asks it, and how soon all follow when it is back.

import { randomBytes } from 'node:crypto'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import {
  BOOT_SERVICE,
  startableNow,
  unitDropIns,
  unitsToStart,
} from '../../../agent/core/services/unit-drop-ins.ts'
import { rounds } from '../../campaign.ts'
import type { Behaviour } from '../../control-plane/behaviour.ts'
import type { SeenRequest } from '../../control-plane/control-plane.ts'
import { defaultConfig } from '../../provisioner/temporary-host.ts'
import { describeTier } from '../../sshd/describe-tier.ts'
import type { Ca } from '../../sshd/ssh-ca.ts'
import { tempDir } from '../../sshd/temp-dir.ts'
import { machineTier } from '../harness/available.ts'
import { suites } from '../harness/base.ts'
import { makeNetwork, makeRoom, type Network } from '../harness/network.ts'
import { bootFleetHost, type FleetHost, makeCas, SECRET_FILE } from './fleet-host.ts'

const HOSTS = rounds({ slice: suites.length, whole: 30 })
const LANES = 4
const POLL_SECONDS = rounds({ slice: 10, whole: 30 })
/** No longer than the poll interval: who was turned away must not be later for it. */
const RETRY_AFTER_SECONDS = rounds({ slice: 8, whole: 20 })
const REFUSED_MS = rounds({ slice: 20_000, whole: 40_000 })
const UNAVAILABLE_MS = 2 * REFUSED_MS
/** Within which each asks again: the interval with its jitter, `AccuracySec=`, and a start on a busy machine. */
const ASKS_MS = POLL_SECONDS * 1_100 + 5_000 + 15_000
/** What a machine takes on which all hosts follow at once. */
const TAKES_MS = 60_000
/** Of clocks that are read from outside. */
const BLUR_MS = 1_500
const WAYS = ['asleep', 'webhook', 'resident'] as const
type Way = (typeof WAYS)[number]

const SERVE = join(import.meta.dirname, '../../control-plane/serve.ts')

interface Member {
  it: FleetHost
  way: Way
  label: string
  /** When it has opened a connection since its boot, as `performance.now()` has it. */
  asked: number[]
  bootedAt: number
}

interface Count {
  way: Way
  said: string
  refused: number[]
  answered: number[]
  heard: number
  again: number
  ms: number
  usual: number
}

export function testOutage(): void {
  describeTier(`an outage of the source of ${HOSTS} hosts`, machineTier(), () => {
    test('it is asked no more often than the back-off says, and followed when it is back', async () => {
      await using folder = await tempDir()
      await using _room = await makeRoom(4096)
      await using network = await makeNetwork()
      const [before, after] = await makeCas()
      await using _cas = { [Symbol.asyncDispose]: () => disposeAll([before, after]) }
      const plane = planeIn(network, folder.path)
      await plane.publish(before)
      await plane.start()

      const fleet: Member[] = []
      await using _fleet = {
        async [Symbol.asyncDispose]() {
          await Promise.all(fleet.map(({ it }) => it.host.stop()))
        },
      }
      const ca = await readFile(join(folder.path, 'tls/ca.pem'), 'utf8')
      await inLanes(HOSTS, async at => {
        const way = WAYS[(at + Math.floor(at / suites.length)) % WAYS.length] ?? 'asleep'
        const it = await bootMember(at, way, network, { url: plane.url, ca })
        fleet.push({ it, way, label: `${it.host.name}, ${way}`, asked: [], bootedAt: 0 })
        await it.poll(before)
      })
      await plane.stop()

      const watch = new AbortController()
      await using _watch = { [Symbol.asyncDispose]: async () => watch.abort() }
      await inLanes(HOSTS, async at => {
        const member = fleet[at] as Member
        await member.it.host.reboot()
        await network.connect(member.it.host)
        member.bootedAt = performance.now()
        noteConnections(member, watch.signal)
      })
      await sleep(REFUSED_MS)
      await plane.behave({ mode: 'retry-after', status: 503, value: String(RETRY_AFTER_SECONDS) })
      await plane.start()
      const answeredFrom = performance.now()
      await sleep(UNAVAILABLE_MS)
      const requests = await plane.requests()

      // It is back, and so are its news.
      await plane.publish(after)
      const returned = performance.now()
      await plane.behave({ mode: 'normal' })
      const followed = await Promise.all(
        fleet.map(async ({ it }) => {
          const trusts = async () => (await it.caFile())?.includes(after.publicKey)
          while (!(await trusts())) {
            if (performance.now() - returned > ASKS_MS + TAKES_MS) return Number.POSITIVE_INFINITY
            await sleep(100)
          }
          return performance.now() - returned
        }),
      )
      watch.abort()

      const counts = fleet.map((member, at): Count => {
        const { way, label, asked, bootedAt, it } = member
        const refused = asked.filter(when => when < answeredFrom)
        const answered = asked.filter(when => when >= answeredFrom && when < returned)
        const heard = requests.filter(({ from }) => from === it.address).length
        const again = (asked.find(when => when >= returned) ?? Number.POSITIVE_INFINITY) - returned
        const ms = followed[at] ?? 0
        const usual = usualTries((answeredFrom - bootedAt) / 1_000)
        const said = `${label}: ${refused.length} refused (a resident ${usual}), ${answered.length} answered with 503 (${heard} requests), asked after ${Math.round(again)} ms, followed after ${Math.round(ms)} ms`
        return { way, said, refused, answered, heard, again, ms, usual }
      })
      const residents = counts.filter(({ way }) => way === 'resident')
      const tries = residents.reduce((sum, { refused, usual }) => sum + refused.length / usual, 0)
      const mean = tries / residents.length
      process.stdout.write(
        `${counts.map(({ said }) => said).join('\n')}\nresidents asked ${mean.toFixed(2)} times as often as usual\n`,
      )
      for (const { way, said, refused, answered, heard, again, ms, usual } of counts) {
        // It is not forgotten either.
        expect(refused.length + answered.length, said).toBeGreaterThan(1)
        expect(heard, said).toBeLessThanOrEqual(answered.length + 1)
        const least = way === 'resident' ? RETRY_AFTER_SECONDS : POLL_SECONDS
        expect(least * 1_000 - smallestGap(answered), said).toBeLessThan(BLUR_MS)
        if (way === 'resident') expect(refused.length, said).toBeLessThanOrEqual(2 * usual)
        else expect(POLL_SECONDS * 1_000 - smallestGap(refused), said).toBeLessThan(BLUR_MS)
        expect(again, said).toBeLessThan(ASKS_MS)
        expect(ms, said).toBeLessThan(ASKS_MS + TAKES_MS)
      }
      if (residents.length >= 10) expect(mean).toBeLessThan(1.5)
      await inLanes(HOSTS, async at => {
        const { it } = fleet[at] as Member
        // The keys lie there a moment before sshd is restarted for them.
        const accepted = async () => (await it.login(after)).outcome === 'accepted'
        await it.host.waitFor('a login with the new CA', accepted, 30_000)
        expect((await it.login(before)).outcome).toBe('refused')
      })
    }, 3_600_000)
  })
}

/** How often a resident asks on average in so many seconds: half of ceilings of 2, 4, 8… seconds apart. */
function usualTries(seconds: number): number {
  let tries = 0
  let at = 0
  for (let ceiling = 2; at < seconds; ceiling *= 2) {
    tries += 1
    at += Math.min(ceiling, POLL_SECONDS) / 2
  }
  return tries
}

const smallestGap = (times: readonly number[]) =>
  Math.min(...times.slice(1).map((time, at) => time - (times[at] ?? 0)))

async function bootMember(
  at: number,
  way: Way,
  network: Network,
  source: { url: string; ca: string },
): Promise<FleetHost> {
  const usual = defaultConfig()
  const config = {
    ...usual,
    source: { ...usual.source, pollIntervalSeconds: POLL_SECONDS },
    webhook: way === 'asleep' ? {} : { listen: '0.0.0.0:9444', secretFile: SECRET_FILE },
  }
  const resident = way === 'resident'
  const { wanted } = unitsToStart(config, { resident })
  const it = await bootFleetHost({
    suite: suites[at % suites.length] ?? 'bookworm',
    network,
    source,
    secret: `whsec_${randomBytes(32).toString('base64')}`,
    pollSeconds: POLL_SECONDS,
    units: startableNow(wanted),
    prepare: async files => {
      for (const { path, content } of unitDropIns(config, { resident })) {
        if (content !== undefined) await files.write(path, content)
      }
    },
  })
  await it.host.exec(['systemctl', 'enable', '--quiet', BOOT_SERVICE])
  return it
}

/** Looks at the kernel's count of connections that the host has begun (RFC 4022, tcpActiveOpens). */
function noteConnections({ it, asked }: Member, signal: AbortSignal): void {
  const count = async () => {
    const text = await readFile(`/proc/${it.host.pid}/net/snmp`, 'utf8')
    const [names = [], values = []] = text
      .split('\n')
      .filter(line => line.startsWith('Tcp:'))
      .map(line => line.split(' '))
    return Number(values[names.indexOf('ActiveOpens')])
  }
  const loop = async () => {
    let seen = 0
    while (!signal.aborted) {
      const now = await count()
      for (; seen < now; seen += 1) asked.push(performance.now())
      await sleep(100)
    }
  }
  // The host's end ends it.
  loop().catch(() => {})
}

function planeIn(network: Network, folder: string) {
  const file = (name: string) => join(folder, name)
  const files = ['--bundle-file', file('bundle'), '--mode-file', file('mode')]
  const tls = ['--tls-dir', file('tls'), '--tls-hosts', network.address]
  const argv = [process.execPath, SERVE, '--port', '8443', '--host', network.address]
  let running: ReturnType<Network['run']> | undefined
  let said: AsyncIterator<string> | undefined
  return {
    url: `https://${network.address}:8443/bundle`,
    publish: (ca: Ca) => writeFile(file('bundle'), `${ca.publicKey}\n`),
    behave: (behaviour: Behaviour) => writeFile(file('mode'), JSON.stringify(behaviour)),
    async start() {
      running = network.run([...argv, ...files, ...tls])
      said = createInterface({ input: running.stdout })[Symbol.asyncIterator]()
      const { value } = await said.next()
      if (!value?.startsWith('listening')) throw new Error('the control plane did not start')
    },
    async stop() {
      running?.kill()
      await running?.done
      await rm(file('mode'), { force: true })
    },
    async requests(): Promise<SeenRequest[]> {
      running?.stdin.write('{"requests":true}\n')
      const { value } = (await said?.next()) ?? {}
      return JSON.parse(value ?? '').requests
    },
  }
}

/** Calls `each` for 0 to `count` - 1, a few at a time. */
async function inLanes(count: number, each: (at: number) => Promise<void>): Promise<void> {
  const lane = async (at: number) => {
    for (; at < count; at += LANES) await each(at)
  }
  await Promise.all(Array.from({ length: LANES }, (_, at) => lane(at)))
}

async function disposeAll(cas: readonly Ca[]): Promise<void> {
  await Promise.all(cas.map(ca => ca[Symbol.asyncDispose]()))
}
