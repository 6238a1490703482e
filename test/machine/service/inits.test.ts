import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { findService } from '../../../agent/provisioner/init/find-service.ts'
import type { ServiceHost } from '../../../agent/provisioner/init/init.ts'
import type { SshService } from '../../../agent/provisioner/sshd/ssh-service.ts'
import { describeTier } from '../../sshd/describe-tier.ts'
import { machineTier } from '../harness/available.ts'
import { bootHost, type Host } from '../harness/host.ts'
import { INITS, sshdListens } from '../hosts/inits.ts'
import { serviceHost } from '../hosts/service-host.ts'

// As Alpine and Gentoo have it, in short.
const NATIVE_SCRIPT = `#!/sbin/openrc-run
command=/usr/sbin/sshd
pidfile=/run/sshd.pid
start_pre() { mkdir -p /run/sshd && $command -t; }
stop_pre() { $command -t; }
`

describeTier('sshd under other inits', machineTier(), () => {
  describe.each(INITS)('$init', ({ init, packages, argv, control }) => {
    let host: Host
    let outside: ServiceHost
    let ran: string[]
    let service: SshService
    const sh = (line: string) => host.exec(line, { allowFail: true })
    const listens = async () => (await sh('ss -Hltn sport = :22')).stdout !== ''
    const pid = async () => {
      const state = await service.state()
      return state.kind === 'running' ? state.mainPid : undefined
    }

    beforeAll(async () => {
      host = await bootHost({
        suite: 'bookworm',
        packages,
        init: ['/sbin/init'],
        booted: sshdListens,
      })
    })
    afterAll(() => host?.stop())
    beforeEach(async () => {
      await sh('rm -f /etc/ssh/sshd_config.d/*')
      ran = []
      outside = serviceHost(host, ran)
      service = findService(outside)
    })

    test('running, by its own name, and another process after a restart', async () => {
      const before = await service.state()
      expect(before).toEqual({ kind: 'running', unit: 'ssh', mainPid: expect.any(Number), argv })
      expect(await service.limit()).toBeUndefined()
      for (let n = 1; n <= 3; n++) {
        const old = await pid()
        await service.restart()
        expect(await pid()).not.toBe(old)
        expect(await listens()).toBe(true)
      }
    })

    test('a session is no sshd that listens', async () => {
      const socket = `require('net').connect(22, '127.0.0.1').on('data', () => {})`
      const connection = host.inNetwork([process.execPath, '-e', socket])
      await host.waitFor('a second sshd', async () => {
        return (await sh('pgrep -cx sshd')).stdout.trim() !== '1'
      })
      const old = await pid()
      await service.restart()
      expect(await pid()).not.toBe(old)
      connection.kill()
    })

    test('stopped, and started by a restart', async () => {
      await sh(control('ssh', 'stop'))
      await host.waitFor('the end', async () => !(await listens()))
      expect(await service.state()).toEqual({ kind: 'stopped', unit: 'ssh' })
      await service.restart()
      expect(await listens()).toBe(true)
    })

    test('killed from outside, and back', async () => {
      await sh('pkill -x sshd')
      await service.restart()
      expect(await listens()).toBe(true)
    })

    test('a broken config is told, and mended by the next restart', async () => {
      await host.write('/etc/ssh/sshd_config.d/broken.conf', 'Bogus yes\n')
      await expect(service.restart()).rejects.toMatchObject({
        // sv(8) may see it up for the moment that its check takes, and svlogd has the words.
        ...(init === 'runit'
          ? { code: expect.stringMatching(/^(restart-failed|not-listening)$/) }
          : { code: 'restart-failed', message: expect.stringMatching(/broken\.conf.*Bogus/) }),
      })
      await sh('rm /etc/ssh/sshd_config.d/broken.conf')
      await service.restart()
      expect(await listens()).toBe(true)
    })

    test('an sshd that can’t bind its port is no success, whatever the script says', async () => {
      await host.write('/etc/ssh/sshd_config.d/bind.conf', 'ListenAddress 203.0.113.77\n')
      // Only sv(8) looks again whether it is still up.
      const code = init === 'runit' ? expect.stringMatching(/./) : 'not-listening'
      await expect(service.restart()).rejects.toMatchObject({ code })
      await sh('rm /etc/ssh/sshd_config.d/bind.conf')
      await service.restart()
      expect(await listens()).toBe(true)
    })

    test('the operator’s command wins, and is believed only where sshd is another one', async () => {
      const command = (line: string) => findService(outside, ['/bin/sh', '-c', line])
      await expect(command('true').restart()).rejects.toMatchObject({ code: 'not-listening' })
      await expect(command('echo no; exit 3').restart()).rejects.toMatchObject({
        code: 'restart-failed',
        message: expect.stringContaining('ended with 3: no'),
      })
      const old = await pid()
      await command(control('ssh', 'restart')).restart()
      expect(await pid()).not.toBe(old)
    }, 60_000)

    const native = init === 'OpenRC'
    if (native)
      test('a script of OpenRC’s own, crashed and restarted', async () => {
        await sh('rc-service ssh stop; mv /etc/init.d/ssh /root/ssh')
        await host.write('/etc/init.d/sshd', NATIVE_SCRIPT, { mode: 0o755 })
        await sh('rc-service sshd start')
        await host.waitFor('sshd', listens)
        service = findService(outside)
        expect(await service.state()).toMatchObject({ kind: 'running', unit: 'sshd', argv })
        await service.restart()
        expect(await listens()).toBe(true)
        await sh('pkill -x sshd')
        await host.waitFor('the end', async () => !(await listens()))
        // OpenRC counts it as started all the same, and fails to stop it.
        await service.restart()
        expect(ran).toContain('rc-service sshd zap')
        expect(await listens()).toBe(true)
      })

    test('nothing is restarted where no init of ours runs', async () => {
      const none = findService({ ...outside, exists: () => false })
      expect(await none.state()).toMatchObject({ kind: 'unmanaged', mainPid: await pid() })
      await expect(none.restart()).rejects.toMatchObject({ code: 'unmanaged' })
    })
  })
})
