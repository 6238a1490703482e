import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { PrintedStatus } from '../../../agent/cli/host/render-status.ts'
import { describeTier } from '../../sshd/describe-tier.ts'
import { type Ca, makeCa } from '../../sshd/ssh-ca.ts'
import { machineTier } from '../harness/available.ts'
import { census, difference } from '../harness/host-census.ts'
import { login } from '../harness/login.ts'
import { bootBareHost, SOURCE } from '../hosts/bare-host.ts'
import { INITS, sshdListens } from '../hosts/inits.ts'
import { type ReleaseKit, releaseKit } from '../hosts/release-kit.ts'

describeTier('installed under another init', machineTier(), () => {
  let kit: ReleaseKit
  let first: Ca
  let second: Ca
  let release: string
  beforeAll(async () => {
    ;[kit, first, second] = await Promise.all([releaseKit(), makeCa(), makeCa()])
    release = await kit.make()
  })
  afterAll(async () => {
    for (const each of [kit, first, second]) await each?.[Symbol.asyncDispose]()
  })

  describe.each(INITS)('$init', ({ packages, control }) => {
    test('install, rotate by poll, uninstall', async () => {
      await using it = await bootBareHost({
        suite: 'bookworm',
        packages,
        init: ['/sbin/init'],
        booted: sshdListens,
        prepare: files => files.write('/root/token', 'secret-token\n', { mode: 0o600 }),
      })
      const accepted = async (ca: Ca) => (await login(it.host, { ca })).outcome === 'accepted'
      const before = await census(it.host)
      await it.offer(release)
      await it.publish(first.publicKey)
      // The shortest poll; and a secret that only root may read, so that it must be handed over.
      await it.host.write('/etc/pomerium/host-agent.yaml', 'source:\n  poll_interval: 10s\n')
      const flags = [...SOURCE, '--source-token-file', '/root/token']
      const proxy = { https_proxy: 'http://127.0.0.1:3128' }
      expect(await it.install(flags, proxy)).toMatchObject({ code: 0, stderr: '' })
      expect(await accepted(first)).toBe(true)

      // Nobody asks it here: loopback never goes through a proxy.
      const { stdout: environment } = await it.host.exec(
        "tr '\\0' '\\n' </proc/$(pgrep -u pomerium-host-agent -f agent/main.js)/environ",
      )
      expect(environment).toContain('https_proxy=http://127.0.0.1:3128\n')

      // Asked of this init as of systemd: sshd, and both services of ours.
      const status = async () => {
        const argv = ['pomerium-host-agent', 'status', '--json']
        const { code, stdout } = await it.host.exec(argv, { allowFail: true })
        const { well, findings } = JSON.parse(stdout) as PrintedStatus
        return { code, well, found: findings.map(each => each.code) }
      }
      const well = async () => (await status()).well
      await it.host.waitFor('a host that is well', well, 30_000)
      expect(await status()).toEqual({ code: 0, well: true, found: [] })
      for (const [name, finding] of [
        ['ssh', 'sshd-down'],
        ['pomerium-host-agent', 'agent-stopped'],
        ['pomerium-host-agent-provisioner', 'agent-stopped'],
      ] as const) {
        await it.host.exec(control(name, 'stop'))
        const found = async () => (await status()).found.includes(finding)
        await it.host.waitFor(`${finding} for ${name}`, found, 20_000)
        expect(await status()).toMatchObject({ code: 8, well: false })
        await it.host.exec(control(name, 'start'))
        await it.host.waitFor('a host that is well again', well, 30_000)
      }

      await it.publish(second.publicKey)
      await it.host.waitFor(
        'the rotation',
        async () => (await accepted(second)) && !(await accepted(first)),
        40_000,
      )
      expect(await it.install(flags)).toMatchObject({
        code: 0,
        stdout: expect.stringContaining('unchanged: all'),
      })

      // One that its init starts again and again is not up, whatever its script says.
      const variables = '/etc/default/pomerium-host-agent'
      await it.host.exec(`echo POMERIUM_HOST_AGENT_NO=1 >>${variables}`)
      const renew = ['pomerium-host-agent', 'configure', '--renewed']
      const failing = await it.host.exec(renew, { allowFail: true, timeoutMs: 120_000 })
      expect(failing.stderr).toContain('  pomerium-host-agent does not stay up\n')
      expect(failing.code).toBe(5)
      await it.host.exec(`sed -i '$d' ${variables}`)
      const mended = await it.host.exec(renew, { allowFail: true, timeoutMs: 120_000 })
      expect(mended).toMatchObject({ code: 0, stderr: '' })

      // Removed, nothing of it runs or is started by boot, until it is to follow again.
      const ours = async () => {
        const links = 'ls -d /etc/rc2.d/S*pomerium* /etc/runlevels/*/pomerium*'
        // What runsv(8) starts.
        const runit = 'ls /etc/service/pomerium*/run; ls /etc/service/pomerium*/down'
        const boot = `${links}; ${runit}`
        const line = `pgrep -fc '[p]omerium-host-agent.* (run|provision)'; { ${boot}; } 2>/dev/null; true`
        const [count, ...atBoot] = (await it.host.exec(line)).stdout.trim().split('\n')
        const down = atBoot.filter(path => path.endsWith('/down')).length
        return { up: Number(count) > 0, atBoot: atBoot.length - 2 * down > 0 }
      }
      const following = async () => (await ours()).up && (await ours()).atBoot
      expect(await following()).toBe(true)
      await it.host.exec('pomerium-host-agent remove')
      expect(await ours()).toEqual({ up: false, atBoot: false })
      expect(await accepted(second)).toBe(false)
      await it.host.exec('pomerium-host-agent configure')
      expect(await following()).toBe(true)
      await it.host.exec('pomerium-host-agent remove')
      expect(await ours()).toEqual({ up: false, atBoot: false })
      await it.host.exec('pomerium-host-agent apply')
      expect(await following()).toBe(true)
      expect(await accepted(second)).toBe(true)

      expect(await it.install(['--uninstall'])).toMatchObject({ code: 0, stderr: '' })
      await it.host.exec('rm -r /etc/pomerium')
      const left = difference(before, await census(it.host))
      // Where runsv(8) keeps sshd's process id.
      expect(left.filter(line => !line.startsWith('/etc/sv/ssh/supervise/'))).toEqual([])
      expect(await accepted(second)).toBe(false)
      const { stdout } = await it.host.exec(
        'ps -eo args= | grep [p]omerium-host-agent; ls -d /run/pomerium* /var/log/pomerium*; true',
      )
      expect(stdout).toBe('')
    })
  })
})
