import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { scheduleRestart } from '../../agent/provisioner/service/deferred-restart.ts'
import { findService } from '../../agent/provisioner/service/find-service.ts'
import { parseListening } from '../../agent/provisioner/service/listening.ts'
import {
  restartOrDefer,
  restartWithinBudget,
} from '../../agent/provisioner/service/restart-within-budget.ts'
import type { SshService } from '../../agent/provisioner/service/ssh-service.ts'
import { describeTier } from '../sshd/describe-tier.ts'
import { machineTier } from './available.ts'
import { suites } from './base.ts'
import { bootHost, type Host } from './host.ts'
import { serviceHost } from './service-host.ts'

const DROP_IN = '/etc/systemd/system/ssh.service.d/test.conf'

describeTier('sshd under systemd', machineTier(), () => {
  describe.each(suites)('%s', suite => {
    let host: Host
    let ran: string[]
    let service: SshService
    const sh = (line: string) => host.exec(line, { allowFail: true })
    const restart = () => service.restart()
    const mainPid = async () => {
      const state = await service.state()
      return state.kind === 'running' ? state.mainPid : undefined
    }
    const listens = async () => (await sh('ss -Hltn sport = :22')).stdout !== ''
    // Connects and stays for a second, so that sshd is there to be looked at.
    const connect = () => {
      const socket = `require('net').connect(22, '127.0.0.1').on('data', () => setTimeout(process.exit, 2000))`
      return host.inNetwork([process.execPath, '-e', socket])
    }

    beforeAll(async () => {
      host = await bootHost({ suite })
    })
    afterAll(() => host?.stop())
    beforeEach(async () => {
      await sh(`systemctl stop ssh; rm -rf ${DROP_IN} /etc/systemd/system/sshd.service /etc/systemd/system/ssh.socket.d \\
          /etc/ssh/sshd_not_to_be_run /etc/ssh/sshd_config.d/* /etc/default/ssh
        systemctl unmask ssh.service; systemctl disable --now openssh.service ssh.socket
        rm -f /etc/systemd/system/openssh.service; systemctl daemon-reload
        systemctl reset-failed; systemctl enable --now ssh.service`)
      ran = []
      service = findService(serviceHost(host, ran))
    })

    test('ssh.service: running, with its limit; another process after the restart', async () => {
      await host.write(
        '/etc/default/ssh',
        'SSHD_OPTS="-o LogLevel=VERBOSE -oMaxStartups=11:30:60"\n',
      )
      await restart()
      const before = await service.state()
      expect(before).toEqual({
        kind: 'running',
        unit: 'ssh.service',
        mainPid: expect.any(Number),
        argv: ['/usr/sbin/sshd', '-D', '-o', 'LogLevel=VERBOSE', '-oMaxStartups=11:30:60'],
      })
      expect(await service.limit()).toEqual({ burst: 5, intervalSeconds: 10 })
      const start = performance.now()
      await restart()
      expect(performance.now() - start).toBeLessThan(3_000)
      expect(await mainPid()).not.toBe((before as { mainPid: number }).mainPid)
      expect(await listens()).toBe(true)
    })

    test('asks for the state of all units in one call', async () => {
      await service.state()
      expect(ran).toHaveLength(1)
    })

    test('sshd.service without the alias, ssh.service masked', async () => {
      await sh(`systemctl disable --now ssh; systemctl mask ssh
        sed '/^Alias/d' /usr/lib/systemd/system/ssh.service >/etc/systemd/system/sshd.service
        systemctl daemon-reload; systemctl enable --now sshd`)
      expect(await service.state()).toMatchObject({ kind: 'running', unit: 'sshd.service' })
      await restart()
      expect(await listens()).toBe(true)
    })

    test('a unit of another name is found by the sshd that listens', async () => {
      await sh(`sed '/^Alias/d' /usr/lib/systemd/system/ssh.service >/etc/systemd/system/openssh.service
        systemctl disable --now ssh; systemctl daemon-reload; systemctl enable --now openssh`)
      expect(await service.state()).toMatchObject({
        kind: 'running',
        unit: 'openssh.service',
        argv: ['/usr/sbin/sshd', '-D'],
      })
      expect(await service.limit()).toEqual({ burst: 5, intervalSeconds: 10 })
      const pid = await mainPid()
      await restart()
      expect(await mainPid()).not.toBe(pid)
    })

    test('ssh.socket: idle, and what becomes of it with a connection', async () => {
      await sh('systemctl disable --now ssh.service; systemctl enable --now ssh.socket')
      const perConnection = suite === 'bullseye'
      const idle = perConnection
        ? { kind: 'per-connection', unit: 'ssh@.service', socket: 'ssh.socket' }
        : { kind: 'idle', unit: 'ssh.service', socket: 'ssh.socket' }
      expect(await service.state()).toEqual(idle)
      ran.length = 0
      await restart()
      expect(ran.join('\n')).not.toMatch(/restart|start/)
      const connection = connect()
      await host.waitFor('sshd', async () => (await sh('pgrep -x sshd')).code === 0)
      if (perConnection) {
        expect(await service.state()).toEqual(idle)
      } else {
        await host.waitFor('running', async () => (await service.state()).kind === 'running')
        expect(await service.state()).toMatchObject({
          kind: 'running',
          unit: 'ssh.service',
          socket: 'ssh.socket',
          argv: ['/usr/sbin/sshd', '-D'],
        })
        const pid = await mainPid()
        await restart()
        expect(await mainPid()).not.toBe(pid)
        expect((await host.unitProperties('ssh.socket', ['ActiveState'])).ActiveState).toBe(
          'active',
        )
      }
      connection.kill()
      expect(await listens()).toBe(true)
    })

    const withService = suite !== 'bullseye'
    // Debian 11's socket has no service to be taken along by: a shape that is not there, not a skip.
    if (withService)
      test('a socket that its service took along is started', async () => {
        await sh('systemctl disable --now ssh.service; systemctl enable --now ssh.socket')
        await host.write(DROP_IN, '[Service]\nExecStartPre=/bin/false\nRestart=no\n')
        await sh('systemctl daemon-reload')
        connect()
        await host.waitFor('the socket to fail', async () => {
          return (await host.unitProperties('ssh.socket', ['ActiveState'])).ActiveState === 'failed'
        })
        expect(await listens()).toBe(false)
        expect(await service.state()).toMatchObject({ kind: 'failed', socket: 'ssh.socket' })
        await sh(`rm ${DROP_IN}; systemctl daemon-reload`)
        await restart()
        expect(await service.state()).toMatchObject({ kind: 'idle' })
        expect(await listens()).toBe(true)
      })

    test('a unit that the start limit has left failed comes back', async () => {
      for (let n = 1; n <= 6; n++) await sh('systemctl restart ssh')
      expect(await service.state()).toEqual({
        kind: 'failed',
        unit: 'ssh.service',
        result: 'start-limit-hit',
      })
      expect(await listens()).toBe(false)
      await restart()
      expect(await service.state()).toMatchObject({ kind: 'running' })
      expect(await listens()).toBe(true)
    })

    test('our restart that hits the limit which others have spent makes it good', async () => {
      for (let n = 1; n <= 4; n++) await sh('systemctl restart ssh')
      for (let n = 1; n <= 3; n++) await restart()
      expect(ran).toContain('systemctl reset-failed ssh.service')
      expect(await service.state()).toMatchObject({ kind: 'running' })
      expect(await listens()).toBe(true)
    })

    test('a burst of one: the rollback finds room', async () => {
      await host.write(DROP_IN, '[Unit]\nStartLimitBurst=1\nStartLimitIntervalSec=1min\n')
      await sh('systemctl daemon-reload; systemctl reset-failed ssh')
      expect(await service.limit()).toEqual({ burst: 1, intervalSeconds: 60 })
      const restarts: number[] = []
      const history = {
        read: () => ({ recent: restarts, total: restarts.length }),
        add: (at: number) => restarts.push(at),
      }
      const restarter = { service, history, clock: { now: Date.now, sleep: async () => {} } }
      expect(await restartOrDefer(restarter)).toEqual({ kind: 'restarted' })
      expect(await restartOrDefer(restarter)).toMatchObject({ kind: 'deferred' })
      await restartWithinBudget(restarter, 'rollback')
      expect(await service.state()).toMatchObject({ kind: 'running' })
      expect(await listens()).toBe(true)
    })

    test('a start that fails throws its reason, and the next restart mends it', async () => {
      const before = '[Service]\nExecStartPre=/bin/sh -c "echo no such luck >&2; exit 3"\n'
      await host.write(DROP_IN, before)
      await sh('systemctl daemon-reload')
      const start = performance.now()
      await expect(restart()).rejects.toMatchObject({
        code: 'restart-failed',
        message: expect.stringContaining('no such luck'),
      })
      expect(performance.now() - start).toBeLessThan(3_000)
      expect(await service.state()).toMatchObject({ kind: 'failed', result: 'exit-code' })
      // systemd's own attempts spend the rest of the limit meanwhile.
      await new Promise(resolve => setTimeout(resolve, 1_500))
      await sh(`rm ${DROP_IN}; systemctl daemon-reload`)
      await restart()
      expect(await listens()).toBe(true)
    })

    test('a broken config names the line, and old sshd is gone', async () => {
      await host.write('/etc/ssh/sshd_config.d/broken.conf', 'Bogus yes\n')
      await expect(restart()).rejects.toMatchObject({
        code: 'restart-failed',
        message: expect.stringMatching(/broken\.conf.*line 1.*Bogus/),
      })
      await sh('rm /etc/ssh/sshd_config.d/broken.conf')
      await restart()
      expect(await listens()).toBe(true)
    })

    test('an sshd that can’t bind its port is no success', async () => {
      await host.write('/etc/ssh/sshd_config.d/bind.conf', 'ListenAddress 203.0.113.77\n')
      await expect(restart()).rejects.toMatchObject({ code: 'restart-failed' })
    })

    test('masked: nothing is restarted, the old sshd stays', async () => {
      await sh('systemctl mask ssh')
      const state = await service.state()
      expect(state).toMatchObject({
        kind: 'masked',
        unit: 'ssh.service',
        argv: ['/usr/sbin/sshd', '-D'],
      })
      await expect(restart()).rejects.toMatchObject({ code: 'masked' })
      expect(await listens()).toBe(true)
    })

    test('stopped, and a condition that keeps it so', async () => {
      await sh('systemctl stop ssh')
      expect(await service.state()).toEqual({ kind: 'stopped', unit: 'ssh.service' })
      await host.write('/etc/ssh/sshd_not_to_be_run', '')
      await expect(restart()).rejects.toMatchObject({
        code: 'restart-failed',
        message: expect.stringContaining('condition'),
      })
      await sh('rm /etc/ssh/sshd_not_to_be_run')
      await restart()
      expect(await listens()).toBe(true)
    })

    test('an sshd of nobody’s is not ours to restart', async () => {
      await sh('systemctl disable --now ssh; systemctl mask ssh; mkdir -p /run/sshd')
      const byHand = host.spawn(['/usr/sbin/sshd', '-D'])
      await host.waitFor('sshd', listens)
      expect(await service.state()).toMatchObject({
        kind: 'unmanaged',
        mainPid: expect.any(Number),
      })
      byHand.kill()
      await sh('pkill -x sshd')
    })

    test('one of several ports that can’t be bound, as it was before, is no failure', async () => {
      await host.write('/etc/ssh/sshd_config.d/port.conf', 'Port 22\nPort 2222\n')
      const take = `require('net').createServer().listen(2222, '::', () => console.log(1))`
      const squatting = host.inNetwork([process.execPath, '-e', take])
      await new Promise(resolve => squatting.stdout.once('data', resolve))
      await restart()
      expect(await listens()).toBe(true)
      squatting.kill()
      await squatting.done
      await restart()
      expect((await sh('ss -Hltn sport = :2222')).stdout).not.toBe('')
    })

    test('a start that hangs is given up, and the next restart takes over', async () => {
      await host.write(DROP_IN, '[Service]\nExecStartPre=/bin/sleep 300\n')
      await sh('systemctl daemon-reload')
      const outside = serviceHost(host)
      const impatient = findService({
        ...outside,
        run: (argv, { timeoutMs } = {}) =>
          outside.run(argv, { timeoutMs: argv[1] === 'restart' ? 1_500 : (timeoutMs ?? 30_000) }),
      })
      await expect(impatient.restart()).rejects.toMatchObject({ code: 'timed-out' })
      await sh(`rm ${DROP_IN}; systemctl daemon-reload`)
      await restart()
      expect(await listens()).toBe(true)
    })

    test('sshd below a wrapper that is the main process', async () => {
      const wrapper = '#!/bin/sh\n/usr/sbin/sshd -D -o "LogLevel VERBOSE" &\nwait\n'
      await host.write('/usr/local/sbin/sshd-wrapper', wrapper, { mode: 0o755 })
      const unit =
        'Type=simple\nExecStart=\nExecStart=/usr/local/sbin/sshd-wrapper\nKillMode=mixed\n'
      await host.write(DROP_IN, `[Service]\n${unit}`)
      await sh('systemctl daemon-reload')
      await restart()
      const state = await service.state()
      expect(state).toMatchObject({
        kind: 'running',
        argv: ['/usr/sbin/sshd', '-D', '-o', 'LogLevel VERBOSE'],
      })
      const pid = await mainPid()
      await restart()
      expect(await mainPid()).not.toBe(pid)
    })

    test('all of it can be seen and done from a sandbox such as the provisioner’s', async () => {
      const pid = await mainPid()
      const properties = ['PrivateNetwork=yes', 'ProtectSystem=strict', 'NoNewPrivileges=yes']
      properties.push('CapabilityBoundingSet=CAP_CHOWN CAP_FOWNER CAP_DAC_OVERRIDE')
      properties.push('RestrictAddressFamilies=AF_UNIX', 'SystemCallFilter=@system-service')
      const sandbox = ['systemd-run', '--quiet', '--pipe', '--wait', '--collect']
      const inside = async (line: string) => {
        const flags = properties.map(property => `--property=${property}`)
        const argv = [...sandbox, ...flags, '--', 'sh', '-c', line]
        return (await host.exec(argv, { allowFail: true })).stdout
      }
      const seen = await inside(`cat /proc/${pid}/net/tcp6`)
      expect(parseListening(seen)).toContain(22)
      expect(parseListening(await inside('cat /proc/net/tcp6'))).toEqual([])
      expect(await inside(`cat /proc/${pid}/cmdline`)).toContain('[listener]')
      expect(await inside(`cat /proc/${pid}/cgroup`)).toContain('/ssh.service')
      // Why no socket is matched to its process.
      expect(await inside(`readlink /proc/${pid}/fd/3`)).toBe('')
      expect(await inside('systemctl restart ssh && systemctl is-active ssh')).toBe('active\n')
      expect(await inside('journalctl -u ssh.service -o cat -n 3')).toContain('Started')
      const defer = 'systemd-run --quiet --on-active=1s --collect --unit=from-a-sandbox'
      expect(await inside(`${defer} true && echo done`)).toBe('done\n')
    })

    test('a deferred restart: once, on time, and nothing left behind', async () => {
      const { run } = serviceHost(host)
      const units = async () =>
        (
          await sh(
            'systemctl list-units --all --plain --no-legend pomerium-host-agent-restart.*; ls /run/systemd/transient | grep pomerium',
          )
        ).stdout
      const defer = (seconds: number, argv: string[]) => scheduleRestart(run, seconds, argv)
      const touch = ['/bin/sh', '-c', 'date +%s.%N >>/run/restarted']
      const start = Date.now()
      expect(await defer(1.5, touch)).toEqual({ kind: 'scheduled' })
      expect(await defer(1.5, touch)).toEqual({ kind: 'already-scheduled' })
      await host.waitFor('the restart', () => host.exists('/run/restarted'))
      expect(Date.now() - start).toBeGreaterThan(1_500)
      expect(Date.now() - start).toBeLessThan(4_000)
      await host.waitFor('nothing left', async () => (await units()) === '')
      expect((await host.read('/run/restarted')).trim().split('\n')).toHaveLength(1)
      expect(await defer(1, ['/bin/false'])).toEqual({ kind: 'scheduled' })
      await host.waitFor('nothing left', async () => (await units()) === '')
      expect(await defer(1, ['/bin/sleep', '3'])).toEqual({ kind: 'scheduled' })
      await new Promise(resolve => setTimeout(resolve, 1_600))
      expect(await defer(1, touch)).toMatchObject({ kind: 'not-scheduled' })
      await host.waitFor('nothing left', async () => (await units()) === '')
    })
  })
})
