import { randomBytes } from 'node:crypto'
import { appendFile, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { VERSION } from '../../../installer/build.ts'
import { describeTier } from '../../sshd/describe-tier.ts'
import { type Ca, makeCa } from '../../sshd/ssh-ca.ts'
import { machineTier } from '../harness/available.ts'
import { suites } from '../harness/base.ts'
import { census, difference } from '../harness/host-census.ts'
import { login } from '../harness/login.ts'
import { shareOf } from '../harness/share.ts'
import { type BareHost, bootBareHost, SOURCE } from '../hosts/bare-host.ts'
import { type ReleaseKit, releaseKit } from '../hosts/release-kit.ts'
import { signWebhook } from '../hosts/webhook-host.ts'
import { sshdProbe } from '../probe/sshd-probe.ts'
import { sshdStarts } from '../probe/sshd-starts.ts'

const LINK = '/usr/local/bin/pomerium-host-agent'
const NEWER = '99.0.0'
const EVEN_NEWER = '99.0.1'
const BROKEN = '100.0.0'
const SECRET = '/root/webhook-secret'
const LISTEN = '127.0.0.1:9444'

// A release that starts, and is no good: what to change in it.
const NO_GOOD: [what: string, says: RegExp, change: (folder: string) => Promise<void>][] = [
  [
    'does not start',
    /does not start here/,
    folder => writeFile(join(folder, 'agent/main.js'), 'import "gone"\n'),
  ],
  [
    'can’t apply',
    /can't prove this host/,
    async folder => {
      const launcher = join(folder, 'pomerium-host-agent')
      const text = await readFile(launcher, 'utf8')
      await writeFile(launcher, text.replace('\n', '\ncase $1 in apply) exit 1 ;; esac\n'))
    },
  ],
  [
    'fails in the sandbox of the root wing',
    /-repair.service has failed/,
    folder =>
      appendFile(
        join(folder, 'systemd/pomerium-host-agent-repair.service'),
        '[Service]\nInaccessiblePaths=/usr/local/lib\n',
      ),
  ],
  [
    'fails in the sandbox of the network wing',
    /pomerium-host-agent.service has failed/,
    folder =>
      appendFile(
        join(folder, 'systemd/pomerium-host-agent.service'),
        '[Service]\nInaccessiblePaths=/usr/local/lib\n',
      ),
  ],
  [
    'can’t configure',
    /\S/,
    async folder => {
      const launcher = join(folder, 'pomerium-host-agent')
      const text = await readFile(launcher, 'utf8')
      await writeFile(launcher, text.replace('\n', '\ncase $1 in configure) exit 1 ;; esac\n'))
    },
  ],
]

describeTier('an upgrade', machineTier(), () => {
  let kit: ReleaseKit
  let ca: Ca
  let other: Ca
  let older: string
  let newer: string
  beforeAll(async () => {
    ;[kit, ca, other] = await Promise.all([releaseKit(), makeCa(), makeCa()])
    ;[older, newer] = [await kit.make(), await kit.make({ version: NEWER })]
  })
  afterAll(async () => {
    for (const each of [kit, ca, other]) await each?.[Symbol.asyncDispose]()
  })

  describe.each(suites)('%s', suite => {
    // The others differ in systemd, and so in the storm and in the sandbox.
    const isWhole = suite === 'bookworm'
    let it: BareHost
    const secret = `whsec_${randomBytes(32).toString('base64')}`
    const flags = [...SOURCE, '--webhook-listen', LISTEN, '--webhook-secret-file', SECRET]
    beforeAll(async () => {
      it = await bootBareHost({
        suite,
        prepare: files => files.write(SECRET, `${secret}\n`, { mode: 0o600 }),
      })
      await it.publish(ca.publicKey)
      await it.offer(older)
      expect(await it.install(flags)).toMatchObject({ code: 0, stderr: '' })
    })
    afterAll(async () => {
      await it?.[Symbol.asyncDispose]()
    })
    const version = async () =>
      (await it.host.exec([LINK, '--version'])).stdout.trim().split(' ')[1]
    const rotate = async () => {
      const headers = Object.entries(signWebhook('{}', secret)).flatMap(([name, value]) => [
        '-H',
        `${name}: ${value}`,
      ])
      const url = `http://${LISTEN}/webhook/rotation`
      const out = ['-s', '-o', '/dev/null', '-w', '%{http_code}', '--max-time', '30']
      return (
        await it.host.exec(['curl', ...out, '-d', '{}', ...headers, url], { allowFail: true })
      ).stdout
    }

    test('in a storm of webhooks: provisioned at every moment, and sshd answers', async () => {
      const startsBefore = await sshdStarts(it.host)
      const probe = await sshdProbe(it.host, 10)
      let going = true
      const storm = (async () => {
        const codes: string[] = []
        for (let n = 0; going; n++) {
          await it.publish(ca.publicKey, ...(n % 2 === 0 ? [other.publicKey] : []))
          codes.push(await rotate())
        }
        return codes
      })()
      const logins = (async () => {
        const outcomes: string[] = []
        while (going) outcomes.push((await login(it.host, { ca })).outcome)
        return outcomes
      })()
      await it.offer(newer)
      const result = await it.install(flags)
      going = false
      const [codes, outcomes] = await Promise.all([storm, logins])
      const report = await probe.stop()
      expect(result).toMatchObject({ code: 0, stderr: '' })
      expect(await version()).toBe(NEWER)
      expect(outcomes.length).toBeGreaterThan(5)
      expect(outcomes).not.toContain('refused')
      // The restarts of the rotations, and no more.
      const restarts = (await sshdStarts(it.host)).length - startsBefore.length
      expect(report.gaps).toBeLessThanOrEqual(restarts)
      expect(report.longestGapMs).toBeLessThan(3_000)
      // A webhook in the middle of whose answer the program was changed may find nobody at the other end.
      expect(codes.filter(code => !['200', '202'].includes(code)).length).toBeLessThanOrEqual(1)
      expect(await rotate()).toBe('200')
      expect(it.host.exists(`/usr/local/lib/pomerium-host-agent/${VERSION}`)).toBe(false)
    })

    describe('goes back by itself', () => {
      test.each(shareOf(suite, NO_GOOD))('a release that %s', async (_, says, change) => {
        const held = await version()
        const before = await census(it.host)
        await it.offer(await kit.make({ version: BROKEN, change }))
        const { code, stdout, stderr } = await it.install([...flags, '--conflict', 'adopt'])
        expect(code).not.toBe(0)
        expect(stdout).not.toMatch(/upgraded|Try it/)
        expect(stderr).toMatch(says)
        if (!stderr.includes('does not start'))
          expect(stderr).toContain(`${held} is in force again\n`)
        expect(await version()).toBe(held)
        const state = /pomerium-host-agent(-daemon\/|\/(state|restarts|compile-cache))/
        const changed = difference(before, await census(it.host)).filter(line => !state.test(line))
        expect(changed).toEqual([])
        await it.publish(ca.publicKey)
        expect(await rotate()).toBe('200')
        expect((await login(it.host, { ca })).outcome).toBe('accepted')
        await it.host.exec('systemctl reset-failed')
      })
    })

    if (!isWhole) return

    test('while the source is silent: upgraded, and the end says that nobody answered', async () => {
      const held = await version()
      const away = ['--source-url', 'https://localhost:9/bundle']
      await it.offer(await kit.make({ version: EVEN_NEWER }))
      const { code, stdout } = await it.install(away)
      expect(code).toBe(3)
      expect(stdout).toContain(`upgraded  ${held} to ${EVEN_NEWER}`)
      expect(stdout).toMatch(/source-unavailable(.|\n)*Still trusted/)
      expect(stdout).not.toContain('Try it')
      expect((await login(it.host, { ca })).outcome).toBe('accepted')
      await it.offer(newer)
      const back = await it.install([...flags, '--version', NEWER])
      expect(back).toMatchObject({ code: 0, stdout: expect.stringContaining('Try it') })
    })

    test('where the old one can’t be put in force either, that is said', async () => {
      const launcher = `/usr/local/lib/pomerium-host-agent/${await version()}/pomerium-host-agent`
      const hurt = `case $1 in configure) sed -i '2i case $1 in configure) echo hurt; exit 5 ;; esac' ${launcher}; exit 5 ;; esac`
      const change = async (folder: string) => {
        const path = join(folder, 'pomerium-host-agent')
        const text = await readFile(path, 'utf8')
        await writeFile(path, text.replace('\n', `\n${hurt}\n`))
      }
      await it.offer(await kit.make({ version: BROKEN, change }))
      const { code, stderr } = await it.install(flags)
      await it.host.exec(['sed', '-i', '2d', launcher])
      expect(code).toBe(5)
      expect(stderr).toContain('is installed again and could not be put in force: hurt')
      expect(stderr).not.toContain('in force again')
      await it.offer(newer)
      expect(await it.install(flags)).toMatchObject({ code: 0 })
    })

    test('a downgrade is refused in silence’s stead, and made where it is asked for by name', async () => {
      await it.offer(older)
      const refused = await it.install(flags)
      expect(refused.code).not.toBe(0)
      expect(refused.stderr).toMatch(`${NEWER} is installed, which is newer than ${VERSION}`)
      expect(await version()).toBe(NEWER)
      const asked = await it.install([...flags, '--version', VERSION])
      expect(asked).toMatchObject({ code: 0, stderr: '' })
      expect(await version()).toBe(VERSION)
      expect(await rotate()).toBe('200')
    })

    test('a flag more is merged into the config, and the operator’s edits stay', async () => {
      const config = '/etc/pomerium/host-agent.yaml'
      await it.host.write(
        config,
        `${await it.host.read(config)}\n# keep me\nsshd: { restart: config-change }\n`,
      )
      const timer = '/etc/systemd/system/pomerium-host-agent.timer.d/poll.conf'
      await it.host.exec(`sed -i 's/^source:/source:\\n  poll_interval: 90s # soon/' ${config}`)
      expect(await it.host.exec('pomerium-host-agent configure')).toMatchObject({ code: 0 })
      expect(await it.host.read(timer)).toContain('OnUnitInactiveSec=90s')
      const { NextElapseUSecMonotonic } = await it.host.unitProperties(
        'pomerium-host-agent.timer',
        ['NextElapseUSecMonotonic'],
      )
      expect(NextElapseUSecMonotonic).not.toBe('infinity')
      expect(await it.install([...flags, '--conflict', 'adopt'])).toMatchObject({ code: 0 })
      const text = await it.host.read(config)
      expect(text).toContain('# keep me')
      expect(text).toContain('poll_interval: 90s # soon')
      expect(text).toMatch(/restart: config-change, conflict: adopt/)
      expect(await it.host.stat(config)).toMatchObject({ mode: '0640', uid: 0 })
    })
  })
})
