import { afterAll, beforeAll, expect, test } from 'vitest'
import { describeTier } from '../../sshd/describe-tier.ts'
import { type Ca, makeCa } from '../../sshd/ssh-ca.ts'
import { machineTier } from '../harness/available.ts'
import { suites } from '../harness/base.ts'
import { census, difference, touches } from '../harness/host-census.ts'
import type { HostFiles } from '../harness/host-files.ts'
import { login } from '../harness/login.ts'
import { type BareHost, bootBareHost, SOURCE } from '../hosts/bare-host.ts'
import { type ReleaseKit, releaseKit } from '../hosts/release-kit.ts'

const PROVISIONER = 'pomerium-host-agent-provisioner.service'

describeTier('curl | sh, on a bare host', machineTier(), () => {
  let kit: ReleaseKit
  let release: string
  let ca: Ca
  let foreign: Ca
  beforeAll(async () => {
    ;[kit, ca, foreign] = await Promise.all([releaseKit(), makeCa(), makeCa()])
    release = await kit.make()
  })
  afterAll(async () => {
    for (const each of [kit, ca, foreign]) await each?.[Symbol.asyncDispose]()
  })
  const boot = async (
    suite: (typeof suites)[number],
    prepare: (files: HostFiles) => Promise<void> = async () => {},
  ) => {
    const it = await bootBareHost({ suite, prepare })
    await it.offer(release)
    await it.publish(ca.publicKey)
    return it
  }
  const accepted = async (it: BareHost, by = ca) =>
    (await login(it.host, { ca: by })).outcome === 'accepted'

  test.each(suites)('%s: in by one line, untouched by a second, out by another', async suite => {
    await using it = await boot(suite)
    const before = await census(it.host)

    const first = await it.install()
    expect(first).toMatchObject({ code: 0, stderr: '' })
    expect(first.stdout).toContain(ca.fingerprint)
    const warned = /note: nobody has to sign.*\n {6}https:\/\/localhost:8443\/bundle/g
    expect(first.stdout.match(warned)).toHaveLength(1)
    expect(await accepted(it)).toBe(true)
    // What the timer and the watch do after an install is done before we look; the provisioner would stay
    // for another minute.
    await it.host.waitFor(
      'rest',
      async () => {
        const { stdout } = await it.host.exec(
          'systemctl list-units --plain --no-legend --state=active,activating "pomerium*.service"',
        )
        return stdout.split('\n').every(line => line === '' || line.startsWith(PROVISIONER))
      },
      90_000,
    )
    await it.host.exec(`systemctl stop ${PROVISIONER}`)

    // The census would tell.
    const made = difference(before, await census(it.host)).join('\n')
    expect(made).toContain('/etc/passwd: ')
    expect(made).toContain('/etc/shadow-: ')
    const installed = await touches(it.host)
    const second = await it.install()
    expect(second).toMatchObject({ code: 0, stderr: '' })
    expect(second.stdout).not.toContain('note:')
    expect(second.stdout).toMatch(/unchanged: all(.|\n)*unchanged: (.|\n)*Try it/)
    // The timer's first poll may fall in between; what it notes is no business of the installer's.
    const polls = /^\/var\/lib(\/pomerium-host-agent)?:|^\/var\/lib\/pomerium-host-agent-daemon/
    const touched = difference(installed, await touches(it.host))
    expect(touched.filter(line => !polls.test(line))).toEqual([])

    const off = await it.install(['--uninstall'])
    expect(off).toMatchObject({ code: 0, stderr: '' })
    expect(difference(before, await census(it.host))).toEqual([])
    const { stdout } = await it.host.exec(
      'ls -d /run/pomerium*; systemctl list-units "pomerium*" --all --no-legend; true',
    )
    expect(stdout).toBe('')
    expect((await login(it.host, { ca })).outcome).toBe('refused')
  })

  const noInclude = (files: HostFiles) =>
    files
      .read('/etc/ssh/sshd_config')
      .then(text => files.write('/etc/ssh/sshd_config', text.replace(/^Include.*$/m, '')))
  const otherCa = async (files: HostFiles) => {
    await files.write('/etc/ssh/other.pub', `${foreign.publicKey}\n`, { mode: 0o600 })
    await files.write(
      '/etc/ssh/sshd_config.d/20-other.conf',
      'TrustedUserCAKeys /etc/ssh/other.pub\n',
    )
  }
  const ownFiles = async (files: HostFiles) => {
    await files.write(
      '/etc/pomerium/host-agent.yaml',
      '# mine\nsource:\n  url: https://elsewhere.example.com/ # for now\n',
    )
    await files.write('/etc/pomerium/config.yaml', 'address: :443\n')
  }
  test.each([
    ['no Include', noInclude, []],
    ['another CA, adopted', otherCa, ['--conflict', 'adopt']],
    ['a config and neighbours of one’s own', ownFiles, []],
    ['resident', async () => {}, ['--resident']],
  ] as const)('off again, byte for byte: %s', async (what, prepare, flags) => {
    await using it = await boot('bookworm', prepare)
    const before = await census(it.host)
    expect(await it.install([...SOURCE, ...flags])).toMatchObject({ code: 0, stderr: '' })
    expect(await accepted(it)).toBe(true)
    if (prepare === otherCa) expect(await accepted(it, foreign)).toBe(true)
    if (prepare === ownFiles)
      expect(await it.host.read('/etc/pomerium/host-agent.yaml')).toMatch(
        /^# mine\nsource:\n {2}url: https:\/\/localhost:8443\/bundle # for now\n/,
      )
    if (what === 'resident') {
      const unit = await it.host.unitProperties('pomerium-host-agent.service', ['ActiveState'])
      expect(unit.ActiveState).toBe('active')
      const enabled = async () => {
        const units = 'pomerium-host-agent.service pomerium-host-agent.timer'
        const { stdout } = await it.host.exec(`systemctl is-enabled ${units}; true`)
        return stdout.trim().split('\n')
      }
      expect(await enabled()).toEqual(['enabled', 'disabled'])
      await it.host.exec('pomerium-host-agent configure --asleep')
      expect(await enabled()).toEqual(['disabled', 'enabled'])
      await it.host.exec('pomerium-host-agent configure --resident')
      expect(await enabled()).toEqual(['enabled', 'disabled'])
    }
    // A typo keeps nobody from leaving, nor does a wrong variable.
    await it.host.exec('echo "sshd: { ca_fil: x" >>/etc/pomerium/host-agent.yaml')
    const wrong = { POMERIUM_HOST_AGENT_METRICS_TEXTFILE: 'nowhere' }
    expect(await it.install(['--uninstall'], wrong)).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('the record is gone by'),
    })
    expect(difference(before, await census(it.host))).toEqual([])
    expect(await accepted(it)).toBe(false)
    if (prepare === otherCa) expect(await accepted(it, foreign)).toBe(true)
  })
})
