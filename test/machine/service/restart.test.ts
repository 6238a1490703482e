import { expect, test } from 'vitest'
import { parseListening } from '../../../agent/core/network/listening-ports.ts'
import { findService } from '../../../agent/provisioner/init/find-service.ts'
import { scheduleRestart } from '../../../agent/provisioner/init/systemd/deferred-restart.ts'
import {
  restartOrDefer,
  restartWithinBudget,
} from '../../../agent/provisioner/sshd/restart-within-budget.ts'
import { serviceHost } from '../hosts/service-host.ts'
import { DROP_IN, describeUnderSystemd } from '../hosts/under-systemd.ts'

describeUnderSystemd('restarts, and those that fail', on => {
  test('a unit that the start limit has left failed comes back', async () => {
    for (let n = 1; n <= 6; n++) await on.sh('systemctl restart ssh')
    expect(await on.service.state()).toEqual({
      kind: 'failed',
      unit: 'ssh.service',
      result: 'start-limit-hit',
    })
    expect(await on.listens()).toBe(false)
    await on.service.restart()
    expect(await on.service.state()).toMatchObject({ kind: 'running' })
    expect(await on.listens()).toBe(true)
  })

  test('our restart that hits the limit which others have spent makes it good', async () => {
    for (let n = 1; n <= 4; n++) await on.sh('systemctl restart ssh')
    for (let n = 1; n <= 3; n++) await on.service.restart()
    expect(on.ran).toContain('systemctl reset-failed ssh.service')
    expect(await on.service.state()).toMatchObject({ kind: 'running' })
    expect(await on.listens()).toBe(true)
  })

  test('a burst of one: the rollback finds room', async () => {
    await on.host.write(DROP_IN, '[Unit]\nStartLimitBurst=1\nStartLimitIntervalSec=1min\n')
    await on.sh('systemctl daemon-reload; systemctl reset-failed ssh')
    expect(await on.service.limit()).toEqual({ burst: 1, intervalSeconds: 60 })
    const restarts: number[] = []
    const history = {
      read: () => ({ recent: restarts, total: restarts.length }),
      add: (at: number) => restarts.push(at),
    }
    const restarter = {
      service: on.service,
      history,
      clock: { now: Date.now, sleep: async () => {} },
    }
    expect(await restartOrDefer(restarter)).toEqual({ kind: 'restarted' })
    expect(await restartOrDefer(restarter)).toMatchObject({ kind: 'deferred' })
    await restartWithinBudget(restarter, 'rollback')
    expect(await on.service.state()).toMatchObject({ kind: 'running' })
    expect(await on.listens()).toBe(true)
  })

  test('a start that fails throws its reason, and the next restart mends it', async () => {
    const before = '[Service]\nExecStartPre=/bin/sh -c "echo no such luck >&2; exit 3"\n'
    await on.host.write(DROP_IN, before)
    await on.sh('systemctl daemon-reload')
    const start = performance.now()
    await expect(on.service.restart()).rejects.toMatchObject({
      code: 'restart-failed',
      message: expect.stringContaining('no such luck'),
    })
    expect(performance.now() - start).toBeLessThan(15_000)
    // systemd's own attempts spend the rest of the limit meanwhile.
    await on.host.waitFor('systemd to give up', async () => {
      const { ActiveState } = await on.host.unitProperties('ssh.service', ['ActiveState'])
      return ActiveState === 'failed'
    })
    expect(await on.service.state()).toMatchObject({ kind: 'failed' })
    await on.sh(`rm ${DROP_IN}; systemctl daemon-reload`)
    await on.service.restart()
    expect(await on.listens()).toBe(true)
  })

  test('a broken config names the line, and old sshd is gone', async () => {
    await on.host.write('/etc/ssh/sshd_config.d/broken.conf', 'Bogus yes\n')
    await expect(on.service.restart()).rejects.toMatchObject({
      code: 'restart-failed',
      message: expect.stringMatching(/broken\.conf.*line 1.*Bogus/),
    })
    await on.sh('rm /etc/ssh/sshd_config.d/broken.conf')
    await on.service.restart()
    expect(await on.listens()).toBe(true)
  })

  test('an sshd that can’t bind its port is no success', async () => {
    await on.host.write('/etc/ssh/sshd_config.d/bind.conf', 'ListenAddress 203.0.113.77\n')
    await expect(on.service.restart()).rejects.toMatchObject({ code: 'restart-failed' })
  })

  test('one of several ports that can’t be bound, as it was before, is no failure', async () => {
    await on.host.write('/etc/ssh/sshd_config.d/port.conf', 'Port 22\nPort 2222\n')
    const take = `require('net').createServer().listen(2222, '::', () => console.log(1))`
    const squatting = on.outside(take)
    await new Promise(resolve => squatting.stdout.once('data', resolve))
    await on.service.restart()
    expect(await on.listens()).toBe(true)
    squatting.kill()
    await squatting.done
    await on.service.restart()
    expect((await on.sh('ss -Hltn sport = :2222')).stdout).not.toBe('')
  })

  test.each([
    ['stops', 'systemctl stop ssh'],
    ['stops and masks', 'systemctl stop ssh; systemctl mask ssh'],
  ])('one that a person %s just before our restart stays stopped', async (_, person) => {
    const { run, ...rest } = serviceHost(on.host)
    const service = findService({
      ...rest,
      async run(argv, options) {
        if (argv.some(word => /^(try-)?restart$/.test(word))) await on.sh(person)
        return run(argv, options)
      },
    })
    expect(await service.state()).toMatchObject({ kind: 'running' })
    await service.restart()
    expect(await on.listens()).toBe(false)
    expect((await on.sh('systemctl is-active ssh')).stdout).toBe('inactive\n')
  })

  test('one that a person stops in the middle of our restart stays stopped', async () => {
    await on.host.write(DROP_IN, '[Service]\nExecStop=/bin/sleep 2\n')
    await on.sh('systemctl daemon-reload')
    expect(await on.service.state()).toMatchObject({ kind: 'running' })
    const restarted = on.service.restart()
    restarted.catch(() => {}) // awaited below
    await on.host.waitFor('the restart', async () => {
      const { ActiveState } = await on.host.unitProperties('ssh.service', ['ActiveState'])
      return ActiveState === 'deactivating'
    })
    await on.sh('systemctl stop ssh')
    await restarted
    expect(await on.listens()).toBe(false)
  })

  test('a dependency that takes it down in our restart is told', async () => {
    const broken = '[Service]\nType=oneshot\nExecStart=/bin/false\n'
    await on.host.write('/etc/systemd/system/broken.service', broken)
    await on.host.write(DROP_IN, '[Unit]\nRequires=broken.service\nAfter=broken.service\n')
    await on.sh('systemctl daemon-reload')
    await expect(on.service.restart()).rejects.toMatchObject({ code: 'restart-failed' })
    await on.sh('rm /etc/systemd/system/broken.service')
  })

  test('a start that hangs is given up, and the next restart takes over', async () => {
    await on.host.write(DROP_IN, '[Service]\nExecStartPre=/bin/sleep 300\n')
    await on.sh('systemctl daemon-reload')
    const outside = serviceHost(on.host)
    const impatient = findService({
      ...outside,
      run: (argv, { timeoutMs } = {}) =>
        outside.run(argv, {
          timeoutMs: argv[1]?.endsWith('restart') ? 1_500 : (timeoutMs ?? 30_000),
        }),
    })
    await expect(impatient.restart()).rejects.toMatchObject({ code: 'timed-out' })
    await on.sh(`rm ${DROP_IN}; systemctl daemon-reload`)
    await on.service.restart()
    expect(await on.listens()).toBe(true)
  })

  test('all of it can be seen and done from a sandbox such as the provisioner’s', async () => {
    const pid = await on.mainPid()
    const properties = ['PrivateNetwork=yes', 'ProtectSystem=strict', 'NoNewPrivileges=yes']
    properties.push('CapabilityBoundingSet=CAP_CHOWN CAP_FOWNER CAP_DAC_OVERRIDE')
    properties.push('RestrictAddressFamilies=AF_UNIX', 'SystemCallFilter=@system-service')
    const sandbox = ['systemd-run', '--quiet', '--pipe', '--wait', '--collect']
    const inside = async (line: string) => {
      const flags = properties.map(property => `--property=${property}`)
      const argv = [...sandbox, ...flags, '--', 'sh', '-c', line]
      return (await on.host.exec(argv, { allowFail: true })).stdout
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
    const { run } = serviceHost(on.host)
    const units = async () =>
      (
        await on.sh(
          'systemctl list-units --all --plain --no-legend pomerium-host-agent-restart.*; ls /run/systemd/transient | grep pomerium',
        )
      ).stdout
    const defer = (seconds: number, argv: string[]) => scheduleRestart(run, seconds, argv)
    const touch = ['/bin/sh', '-c', 'date +%s.%N >>/run/restarted']
    const start = Date.now()
    expect(await defer(1.5, touch)).toEqual({ kind: 'scheduled' })
    expect(await defer(1.5, touch)).toEqual({ kind: 'already-scheduled' })
    await on.host.waitFor('the restart', () => on.host.exists('/run/restarted'))
    expect(Date.now() - start).toBeGreaterThan(1_500)
    expect(Date.now() - start).toBeLessThan(15_000)
    await on.host.waitFor('nothing left', async () => (await units()) === '')
    expect((await on.host.read('/run/restarted')).trim().split('\n')).toHaveLength(1)
    expect(await defer(1, ['/bin/false'])).toEqual({ kind: 'scheduled' })
    await on.host.waitFor('nothing left', async () => (await units()) === '')
    expect(await defer(1, ['/bin/sleep', '3'])).toEqual({ kind: 'scheduled' })
    await new Promise(resolve => setTimeout(resolve, 1_600))
    expect(await defer(1, touch)).toMatchObject({ kind: 'not-scheduled' })
    await on.host.waitFor('nothing left', async () => (await units()) === '')
  })
})
