// The power goes while something of ours is at work, and the host boots again, with and without a source.
// In `npm test` each suite takes its share of the operations, and the three together all of them.

import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { VERSION } from '../../../installer/build.ts'
import { campaign, rounds } from '../../campaign.ts'
import { describeTier } from '../../sshd/describe-tier.ts'
import { type Ca, makeCa } from '../../sshd/ssh-ca.ts'
import { machineTier } from '../harness/available.ts'
import { type Suite, suites } from '../harness/base.ts'
import { census, difference } from '../harness/host-census.ts'
import { login } from '../harness/login.ts'
import { CA_FILE, DROP_IN } from '../hosts/agent-host.ts'
import { type BareHost, bootBareHost, SOURCE } from '../hosts/bare-host.ts'
import { RELEASE_URL, type ReleaseKit, releaseKit } from '../hosts/release-kit.ts'

const REBOOTS = { slice: 2, whole: 34 }
/** Within which the host must be well again, from the moment its power comes back. */
const UP_MS = 20_000
const NEWER = '99.0.0'
/** Where we may have left something. */
const PLACES = ['/etc', '/usr/local', '/usr/lib/systemd', '/var/lib']
const LIB = '/usr/local/lib/pomerium-host-agent'
const LINK = '/usr/local/bin/pomerium-host-agent'
const SECRET_FILE = '/root/webhook-secret'
const WEBHOOK = ['--webhook-listen', '127.0.0.1:9444', '--webhook-secret-file', SECRET_FILE]
const INSTALL = `curl -fsSL ${RELEASE_URL}/install.sh | sh -s --`
const FLAGS = [...SOURCE, ...WEBHOOK].join(' ')

/** What the host must be before, the line that is cut off, and for how long it runs at first. */
interface Operation {
  name: string
  from: 'nothing' | 'installed'
  line: (at: number) => string
  usualMs: number
  /** The CA is not trusted after it. */
  takesAway?: true
}

// In this order each begins where the one before has ended.
const OPERATIONS: Operation[] = [
  { name: 'install', from: 'nothing', line: () => `${INSTALL} ${FLAGS}`, usualMs: 7_000 },
  { name: 'apply', from: 'installed', line: () => 'pomerium-host-agent apply', usualMs: 1_500 },
  {
    name: 'configure',
    from: 'installed',
    line: at =>
      `pomerium-host-agent configure --set source.poll_interval=${2 + (at % 7)}m --${at % 2 === 0 ? 'resident' : 'asleep'}`,
    usualMs: 2_000,
  },
  { name: 'upgrade', from: 'installed', line: () => `${INSTALL} ${FLAGS}`, usualMs: 8_000 },
  {
    name: 'remove',
    from: 'installed',
    line: () => 'pomerium-host-agent remove',
    usualMs: 1_500,
    takesAway: true,
  },
  {
    name: 'uninstall',
    from: 'installed',
    line: () => `${INSTALL} --uninstall`,
    usualMs: 2_500,
    takesAway: true,
  },
]

// Any instant is as likely as another.
const moments = fc.noBias(
  fc.record({
    /** Of the operation's usual duration, in hundredths. */
    share: fc.nat(105),
    sourceBefore: fc.boolean(),
    sourceAfter: fc.boolean(),
  }),
)

export function testHardReboots(suite: Suite): void {
  describeTier(`${rounds(REBOOTS)} hard reboots on ${suite}`, machineTier(), () => {
    let kit: ReleaseKit
    let it: BareHost
    let older: string
    let newer: string | undefined
    let untouched: Map<string, string>
    /** A CA that is trusted throughout, and two of which one is. */
    let [always, first, second]: Ca[] = []
    let isSecond = false
    beforeAll(async () => {
      kit = await releaseKit()
      ;[always, first, second] = await Promise.all(
        ['always', 'first', 'second'].map(name => makeCa('ed25519', name)),
      )
      older = await kit.make()
      const secret = `whsec_${randomBytes(32).toString('base64')}\n`
      it = await bootBareHost({
        suite,
        prepare: files => files.write(SECRET_FILE, secret, { mode: 0o600 }),
      })
      await it.offer(older)
      await publishOther()
      untouched = await census(it.host, PLACES)
    })
    afterAll(async () => {
      for (const each of [it, kit, always, first, second]) await each?.[Symbol.asyncDispose]()
    })
    const sh = (line: string) => it.host.exec(line, { allowFail: true, timeoutMs: 300_000 })
    const here = (path: string) => it.host.exists(path)
    const caFile = () => it.host.read(CA_FILE).catch(() => undefined)
    const keys = (...cas: (Ca | undefined)[]) => cas.map(ca => `${ca?.publicKey}\n`).join('')
    const published = (): string => keys(always, isSecond ? second : first)
    const publishOther = async () => {
      isSecond = !isSecond
      await it.publish(published().trimEnd())
    }
    const well = async (line: string) => {
      const done = await sh(line)
      expect(done, `${line}\n${done.stdout}${done.stderr}`).toMatchObject({ code: 0 })
    }
    const outcome = async () => (await login(it.host, { ca: always as Ca })).outcome

    test('sshd is up and its trust whole soon after boot, and the operation converges', async () => {
      const { numRuns, seed } = campaign(`hard reboots on ${suite}`, REBOOTS)
      const first = suites.indexOf(suite) * REBOOTS.slice
      const usualMs = new Map(OPERATIONS.map(each => [each.name, each.usualMs]))
      for (const [at, moment] of fc.sample(moments, { numRuns, seed: seed + first }).entries()) {
        const operation = OPERATIONS[(first + at) % OPERATIONS.length] as Operation
        await begin(operation)
        await publishOther()
        if (!moment.sourceBefore) await it.stopSource()
        const line = operation.line(at)
        const ms = Math.round(((usualMs.get(operation.name) ?? 0) * moment.share) / 100)
        const running = it.host.spawn(line)
        await new Promise(resolve => setTimeout(resolve, ms))
        await it.host.powerCut()
        const { code } = await running.done
        const source = `source ${moment.sourceBefore ? 'up' : 'down'}, then ${moment.sourceAfter ? 'up' : 'down'}`
        const what = `${operation.name} ${code === 137 ? 'cut off' : 'ended'} at ${ms} ms, ${source}`
        try {
          const [bootMs, trust] = await boots(operation, moment.sourceAfter)
          process.stdout.write(`${suite}: ${what}: up in ${bootMs} ms, ${trust}\n`)
          const took = await converges(operation, line, moment.sourceAfter)
          // As long as it takes on a machine that is as busy as it is now.
          usualMs.set(operation.name, Math.max(took, operation.usualMs))
        } catch (error) {
          const journal = await it.host.journal().catch(() => '')
          throw new Error(`${what}: ${(error as Error).message}\n${journal}`, { cause: error })
        }
      }
    }, 3_600_000)

    /** Brings the host to where the operation begins. */
    async function begin({ from, name }: Operation): Promise<void> {
      if (from === 'nothing') {
        await it.offer(older)
        if (here(LINK)) await well(`${INSTALL} --uninstall`)
      } else if (!here(DROP_IN) || !here(LINK)) {
        await it.offer(older)
        await well(`${INSTALL} ${FLAGS} --version ${VERSION}`)
        await well('pomerium-host-agent apply')
      }
      if (name !== 'upgrade') return
      if (!here(`${LIB}/${VERSION}`)) {
        await it.offer(older)
        await well(`${INSTALL} ${FLAGS} --version ${VERSION}`)
      }
      newer ??= await kit.make({ version: NEWER })
      await it.offer(newer)
    }

    /** Boots, and looks at once; returns how long it took, and what is trusted. */
    async function boots(
      { from, takesAway }: Operation,
      sourceAfter: boolean,
    ): Promise<[ms: number, trust: string]> {
      const powered = performance.now()
      await it.host.reboot()
      const dropIn = () => it.host.read(DROP_IN).catch(() => '')
      const isTrusted = async () => (await dropIn()).includes(CA_FILE)
      // A poll may come in between, and restart sshd.
      const asItSays = async () =>
        (await outcome()) === ((await isTrusted()) ? 'accepted' : 'refused')
      const answers = async () => {
        await it.host.waitFor('a login that ends as the drop-in says', asItSays, UP_MS)
        return Math.round(performance.now() - powered)
      }
      // The source is up beside the host, and what that takes is not the host's.
      const [ms] = await Promise.all([answers(), sourceAfter && it.startSource()])
      expect(ms).toBeLessThan(UP_MS)
      await well('sshd -t')
      const held = await caFile()
      expect([undefined, keys(always, first), keys(always, second)]).toContain(held)
      for (const [, path = ''] of (await dropIn()).matchAll(
        /^\s*(?:TrustedUserCAKeys|RevokedKeys)\s+(\S+)/gm,
      )) {
        expect(here(path), `${path}, which the drop-in names`).toBe(true)
      }
      const trusted = await isTrusted()
      if (from === 'installed' && !takesAway) expect(trusted).toBe(true)
      if (trusted || (from === 'installed' && here(LINK))) await well(`${LINK} --version`)
      return [ms, trusted ? 'trusted' : 'not trusted']
    }

    /** Once more, with a source, it ends well and leaves nothing behind; returns how many ms it took. */
    async function converges(
      { name, takesAway }: Operation,
      line: string,
      isUp: boolean,
    ): Promise<number> {
      if (!isUp) await it.startSource()
      await it.startDownloads()
      const started = performance.now()
      await well(line)
      const took = performance.now() - started
      // A new configuration is no look at the source, which may have been away when the operation was.
      if (name === 'configure') await well('pomerium-host-agent apply')
      expect(await outcome()).toBe(takesAway ? 'refused' : 'accepted')
      expect(await caFile()).toBe(takesAway ? undefined : published())
      const odd =
        "-name '.*.pomerium-host-agent' -o -name journal.json -o -name .begun -o -name .unpacked -o -name '*.new'"
      const places = '/etc /usr/local /var/lib/pomerium* /run/pomerium* /run/systemd'
      expect((await sh(`find ${places} ${odd}`)).stdout).toBe('')
      const failed = await sh(
        "systemctl list-units --failed --plain --no-legend 'pomerium*' ssh.service",
      )
      expect(failed.stdout).toBe('')
      if (name === 'uninstall') {
        expect(difference(untouched, await census(it.host, PLACES))).toEqual([])
        return took
      }
      const version = name === 'upgrade' ? NEWER : VERSION
      const versions = (await sh(`ls -A ${LIB}`)).stdout.trim()
      if (['install', 'upgrade'].includes(name)) expect(versions).toBe(version)
      expect([VERSION, NEWER]).toContain(versions)
      if (takesAway) return took
      const follows = await sh(
        'systemctl is-active pomerium-host-agent.timer || systemctl is-active pomerium-host-agent.service',
      )
      expect(follows.code, follows.stdout).toBe(0)
      return took
    }
  })
}
