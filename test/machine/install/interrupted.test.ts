import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { VERSION } from '../../../installer/build.ts'
import { describeTier } from '../../sshd/describe-tier.ts'
import { type Ca, makeCa } from '../../sshd/ssh-ca.ts'
import { machineTier } from '../harness/available.ts'
import { census, difference } from '../harness/host-census.ts'
import { login } from '../harness/login.ts'
import { type BareHost, bootBareHost, SOURCE } from '../hosts/bare-host.ts'
import { RELEASE_URL, type ReleaseKit, releaseKit } from '../hosts/release-kit.ts'

const LIB = '/usr/local/lib/pomerium-host-agent'
const LINK = '/usr/local/bin/pomerium-host-agent'
const NEWER = '99.0.0'

// When it is cut off, as the shell asks for it.
const UNPACKING = `[ -d ${LIB}/.unpacked ]`
const UNPACKED = (version: string) => `[ -d ${LIB}/${version} ]`
const LINKED = (version: string) => `readlink ${LINK} | grep -F ${version}`
const USER_MADE = 'grep pomerium /etc/group'
const UNITS_LAID = '[ -e /etc/systemd/system/pomerium-host-agent.timer ]'
const TRUSTED = '[ -e /etc/ssh/sshd_config.d/pomerium-ca.conf ]'
const STARTED = 'systemctl is-active pomerium-host-agent.timer'

describeTier('cut off, and run again', machineTier(), () => {
  let kit: ReleaseKit
  let ca: Ca
  let it: BareHost
  let older: string
  let newer: string
  let before: Map<string, string>
  beforeAll(async () => {
    ;[kit, ca] = await Promise.all([releaseKit(), makeCa()])
    ;[older, newer] = [await kit.make(), await kit.make({ version: NEWER })]
    it = await bootBareHost({ suite: 'bookworm' })
    await it.publish(ca.publicKey)
    before = await census(it.host)
  })
  afterAll(async () => {
    for (const each of [it, kit, ca]) await each?.[Symbol.asyncDispose]()
  })
  const sh = (line: string) => it.host.exec(line, { allowFail: true, timeoutMs: 120_000 })
  const accepted = async () => (await login(it.host, { ca })).outcome === 'accepted'

  /** Runs install.sh until `moment` has come, and ends it there: a KILL takes all that it started. */
  async function cutOff(moment: string, signal: 'KILL' | 'TERM', flags = SOURCE): Promise<void> {
    const whom = signal === 'KILL' ? '-$pid' : '$pid'
    const { stdout } = await sh(`curl -fsSo /srv/install.sh ${RELEASE_URL}/install.sh
      setsid sh /srv/install.sh ${flags.join(' ')} >/srv/log 2>&1 & pid=$!
      until ${moment}; do kill -0 $pid || break; done >/dev/null 2>&1
      kill -${signal} ${whom} && echo in time
      wait $pid; rm -r /srv/install.sh /srv/log /tmp/tmp.*`)
    expect(stdout).toContain('in time')
  }

  /** As one does who was told that another is still at work. */
  const again = (flags: readonly string[] = SOURCE) =>
    it.host.waitFor(
      'what the cut-off one has left running',
      async () => {
        const result = await it.install(flags)
        return result.stderr.includes('another install.sh') ? undefined : result
      },
      60_000,
    )

  async function expectWhole(version: string): Promise<void> {
    expect((await sh(`ls -A ${LIB}`)).stdout.trim()).toBe(version)
    expect((await sh(`ls -A ${LIB}/${version}`)).stdout).not.toContain('pomerium-host-agent-')
    expect((await sh(`${LINK} --version`)).stdout.trim()).toBe(`pomerium-host-agent ${version}`)
    expect((await sh('ls /run/pomerium*install*; ls -d /tmp/tmp.*')).stdout).toBe('')
    expect(await sh(STARTED)).toMatchObject({ code: 0 })
    expect(await accepted()).toBe(true)
  }

  test.each([
    ['the unpacking', UNPACKING, 'TERM'],
    ['the rename', UNPACKED(VERSION), 'KILL'],
    ['the making of the user', USER_MADE, 'KILL'],
    ['the laying of the units', UNITS_LAID, 'TERM'],
    ['the transaction', TRUSTED, 'KILL'],
    ['the start of the units', STARTED, 'KILL'],
  ] as const)('a first install, at %s (%s, %s)', async (_, moment, signal) => {
    await it.offer(older)
    await cutOff(moment, signal)
    expect(await again()).toMatchObject({ code: 0 })
    await expectWhole(VERSION)
    expect(await it.install(['--uninstall'])).toMatchObject({ code: 0, stderr: '' })
    expect(difference(before, await census(it.host))).toEqual([])
    await sh('systemctl reset-failed ssh')
  })

  test('an uninstall, at its first file and at its last', async () => {
    for (const moment of [`! ${STARTED}`, '[ ! -e /var/lib/pomerium-host-agent ]']) {
      expect(await it.install()).toMatchObject({ code: 0 })
      await cutOff(moment, 'KILL', ['--uninstall'])
      expect(await again(['--uninstall']), moment).toMatchObject({ code: 0, stderr: '' })
      expect(difference(before, await census(it.host)), moment).toEqual([])
      await sh('systemctl reset-failed ssh')
    }
  })

  describe('an upgrade', () => {
    beforeAll(async () => {
      await it.offer(older)
      expect(await it.install()).toMatchObject({ code: 0 })
    })
    const back = async () => {
      await it.offer(older)
      expect(await it.install([...SOURCE, '--version', VERSION])).toMatchObject({ code: 0 })
    }

    test.each([
      ['the link', LINKED(NEWER), 'KILL'],
      ['the link', LINKED(NEWER), 'TERM'],
      ['the proof', 'ls /tmp/tmp.*/apply', 'KILL'],
      ['the end of the old one', `[ ! -d ${LIB}/${VERSION} ]`, 'KILL'],
    ] as const)('at %s (%s, %s)', async (_, moment, signal) => {
      await it.offer(newer)
      await cutOff(moment, signal, [...SOURCE, '--conflict', 'adopt'])
      expect(await accepted()).toBe(true)
      expect(await again()).toMatchObject({ code: 0 })
      await expectWhole(NEWER)
      await back()
    })

    test('and where the newer one is not to be had any more, back to the one before', async () => {
      await it.offer(newer)
      const config = await it.host.read('/etc/pomerium/host-agent.yaml')
      await cutOff('ls /tmp/tmp.*/apply', 'KILL', [...SOURCE, '--conflict', 'adopt'])
      await it.offer(older)
      expect(await again()).toMatchObject({ code: 0, stdout: expect.stringContaining('unchanged') })
      await expectWhole(VERSION)
      expect(await it.host.read('/etc/pomerium/host-agent.yaml')).toBe(config)
    })
  })
})
