import { basename } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { packDeb } from '../../../installer/package/deb.ts'
import { describeTier } from '../../sshd/describe-tier.ts'
import { machineTier } from '../harness/available.ts'
import { type Suite, suites } from '../harness/base.ts'
import type { Host } from '../harness/host.ts'
import { census, difference } from '../harness/host-census.ts'
import { SOURCE } from '../hosts/bare-host.ts'
import {
  bootPackageHost,
  NEWER,
  NEXT_STEP,
  type PackageHost,
  type PackageKit,
  packageKit,
} from '../hosts/package-host.ts'
import { releaseKit } from '../hosts/release-kit.ts'

// What dpkg and apt keep for themselves.
const OF_DPKG = /^\/var\/(lib\/(dpkg|apt)|cache\/(apt|ldconfig|debconf))\b/

describeTier('the .deb', machineTier(), () => {
  let kit: PackageKit
  beforeAll(async () => {
    kit = await packageKit((packable, folder) => packDeb(packable, folder, 0))
  })
  afterAll(() => kit?.[Symbol.asyncDispose]())

  const boot = (suite: Suite) => bootPackageHost(kit, { suite })
  const apt = (it: PackageHost, words: string, env?: Record<string, string>) =>
    it.tool(`apt-get -qq -o Dpkg::Use-Pty=0 -y ${words}`, env)
  const install = (it: PackageHost, which: 'usual' | 'newer', env?: Record<string, string>) =>
    apt(it, `install ./${basename(kit[which])}`, env)
  const purge = (it: PackageHost, env?: Record<string, string>) =>
    apt(it, 'purge pomerium-host-agent', env)
  const left = async (before: Map<string, string>, host: Host) =>
    difference(before, await census(host)).filter(line => !OF_DPKG.test(line))

  test.each(suites)('%s: in, configured, upgraded, purged, byte for byte', async suite => {
    await using it = await boot(suite)
    const before = await census(it.host)

    const first = await install(it, 'usual')
    expect(first.stdout).toContain(NEXT_STEP)
    expect(first.code).toBe(0)
    expect(await it.units()).toBe('')
    expect((await it.host.exec('dpkg --verify pomerium-host-agent')).stdout).toBe('')

    await it.configure()
    expect(await it.accepted()).toBe(true)
    const unit = await it.host.read('/etc/systemd/system/pomerium-host-agent.service')
    expect(unit).toContain('ExecStart=/usr/bin/pomerium-host-agent run\n')

    const upgrade = install(it, 'newer')
    const meanwhile = await it.acceptedDuring(upgrade)
    expect(await upgrade).toMatchObject({ code: 0 })
    expect(meanwhile.length).toBeGreaterThan(1)
    expect(meanwhile).not.toContain(false)
    const { stdout } = await it.host.exec(
      'pomerium-host-agent --version; systemctl --failed --no-legend',
    )
    expect(stdout).toBe(`pomerium-host-agent ${NEWER}\n`)
    expect(await it.units()).toContain('pomerium-host-agent.timer')

    // An upgrade is nobody's wish to follow again.
    await it.host.exec('pomerium-host-agent remove')
    const rests = await it.tool('dpkg --install --force-downgrade ./pomerium*.deb')
    expect(rests.code).toBe(0)
    expect(await it.accepted()).toBe(false)
    expect(await it.units()).not.toContain('pomerium-host-agent.timer')
    await it.host.exec('pomerium-host-agent apply')
    expect(await it.units()).toContain('pomerium-host-agent.timer')
    expect(await it.accepted()).toBe(true)

    // A typo keeps nobody from purging, nor does a wrong variable.
    await it.host.exec('echo "sshd: { ca_fil: x" >>/etc/pomerium/host-agent.yaml')
    const wrong = { POMERIUM_HOST_AGENT_SOURCE_POLL_INTERVAL: 'often' }
    expect(await purge(it, wrong)).toMatchObject({ code: 0 })
    expect(await it.accepted()).toBe(false)
    expect(await left(before, it.host)).toEqual([])
    expect(await it.units()).toBe('')
  })

  test('removed, nothing of it starts and nobody is locked out; it may come back, or be purged', async () => {
    await using it = await boot('bookworm')
    const before = await census(it.host)
    await install(it, 'usual')
    await it.configure()

    const removed = await apt(it, 'remove pomerium-host-agent')
    expect(removed).toMatchObject({ code: 0 })
    expect(removed.stdout).toContain('keeps trusting')
    expect(await it.units()).toBe('')
    await it.host.exec('systemctl restart ssh')
    expect(await it.accepted()).toBe(true)

    const back = await install(it, 'usual')
    expect(back).toMatchObject({ code: 0 })
    expect(back.stdout).not.toContain(NEXT_STEP)
    expect(await it.units()).toContain('pomerium-host-agent.timer')

    await apt(it, 'remove pomerium-host-agent')
    expect(await purge(it)).toMatchObject({ code: 0 })
    expect(await left(before, it.host)).toEqual([])
  })

  test('told the source by the environment it starts, also where that can’t be reached yet', async () => {
    await using it = await boot('bookworm')
    const before = await census(it.host)
    const url = 'https://localhost:1/bundle'
    const first = await install(it, 'usual', { POMERIUM_HOST_AGENT_SOURCE_URL: url })
    expect(first.stdout).toContain('ECONNREFUSED')
    expect(first.code).toBe(0)
    expect(await it.host.read('/etc/pomerium/host-agent.yaml')).toContain(`url: ${url}`)
    expect(await it.units()).toContain('pomerium-host-agent.timer')
    expect(await purge(it)).toMatchObject({ code: 0 })
    expect(await left(before, it.host)).toEqual([])
  })

  test('over an install by script it takes over; the script leaves a package alone', async () => {
    await using scripts = await releaseKit()
    await using it = await boot('bookworm')
    const before = await census(it.host)
    await it.offer(await scripts.make())
    expect(await it.install()).toMatchObject({ code: 0 })
    const over = install(it, 'newer')
    expect(await it.acceptedDuring(over)).not.toContain(false)
    expect(await over).toMatchObject({ code: 0 })
    const of = await it.tool(
      'ls -d /usr/local/*/pomerium-host-agent; grep -rl /usr/local/bin/pomerium /etc',
    )
    expect(of.stdout.split('\n').filter(line => !line.startsWith('ls: '))).toEqual([''])

    for (const flags of [SOURCE, ['--uninstall']]) {
      const refused = await it.install(flags)
      expect(refused.code).toBe(1)
      expect(refused.stderr).toMatch(/^install\.sh: .* as a package: .*apt or dnf\n$/)
    }
    expect(await it.accepted()).toBe(true)
    expect(await purge(it)).toMatchObject({ code: 0 })
    expect(await left(before, it.host)).toEqual([])
  })
})
