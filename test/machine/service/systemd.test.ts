import { expect, test } from 'vitest'
import { DROP_IN, describeUnderSystemd } from '../hosts/under-systemd.ts'

describeUnderSystemd('which unit is it', on => {
  test('ssh.service: running, with its limit; another process after the restart', async () => {
    await on.host.write(
      '/etc/default/ssh',
      'SSHD_OPTS="-o LogLevel=VERBOSE -oMaxStartups=11:30:60"\n',
    )
    await on.service.restart()
    const before = await on.service.state()
    expect(before).toEqual({
      kind: 'running',
      unit: 'ssh.service',
      mainPid: expect.any(Number),
      argv: ['/usr/sbin/sshd', '-D', '-o', 'LogLevel=VERBOSE', '-oMaxStartups=11:30:60'],
    })
    expect(await on.service.limit()).toEqual({ burst: 5, intervalSeconds: 10 })
    const start = performance.now()
    await on.service.restart()
    expect(performance.now() - start).toBeLessThan(15_000)
    expect(await on.mainPid()).not.toBe((before as { mainPid: number }).mainPid)
    expect(await on.listens()).toBe(true)
  })

  test('asks for the state of all units in one call', async () => {
    await on.service.state()
    expect(on.ran).toHaveLength(1)
  })

  test('sshd.service without the alias, ssh.service masked', async () => {
    await on.sh(`systemctl disable --now ssh; systemctl mask ssh
      sed '/^Alias/d' /usr/lib/systemd/system/ssh.service >/etc/systemd/system/sshd.service
      systemctl daemon-reload; systemctl enable --now sshd`)
    expect(await on.service.state()).toMatchObject({ kind: 'running', unit: 'sshd.service' })
    await on.service.restart()
    expect(await on.listens()).toBe(true)
  })

  test('a unit of another name is found by the sshd that listens', async () => {
    await on.sh(`sed '/^Alias/d' /usr/lib/systemd/system/ssh.service >/etc/systemd/system/openssh.service
      systemctl disable --now ssh; systemctl daemon-reload; systemctl enable --now openssh`)
    expect(await on.service.state()).toMatchObject({
      kind: 'running',
      unit: 'openssh.service',
      argv: ['/usr/sbin/sshd', '-D'],
    })
    expect(await on.service.limit()).toEqual({ burst: 5, intervalSeconds: 10 })
    const pid = await on.mainPid()
    await on.service.restart()
    expect(await on.mainPid()).not.toBe(pid)
  })

  test('masked: nothing is restarted, the old sshd stays', async () => {
    await on.sh('systemctl mask ssh')
    const state = await on.service.state()
    expect(state).toMatchObject({
      kind: 'masked',
      unit: 'ssh.service',
      argv: ['/usr/sbin/sshd', '-D'],
    })
    await expect(on.service.restart()).rejects.toMatchObject({ code: 'masked' })
    expect(await on.listens()).toBe(true)
  })

  test('failed, since the sshd that it let go of has its port: a restart takes it over', async () => {
    await on.host.write(DROP_IN, '[Service]\nKillMode=none\n')
    await on.sh('systemctl daemon-reload; systemctl stop ssh; systemctl start ssh')
    expect((await on.sh('systemctl is-active ssh')).stdout).toBe('failed\n')
    expect(await on.service.state()).toMatchObject({ kind: 'running', forgotten: true })
    await on.service.restart()
    expect((await on.sh('systemctl is-active ssh')).stdout).toBe('active\n')
    expect(await on.listens()).toBe(true)
  })

  test('stopped, and a condition that keeps it so', async () => {
    await on.sh('systemctl stop ssh')
    expect(await on.service.state()).toEqual({ kind: 'stopped', unit: 'ssh.service' })
    await on.host.write('/etc/ssh/sshd_not_to_be_run', '')
    await expect(on.service.restart()).rejects.toMatchObject({
      code: 'restart-failed',
      message: expect.stringContaining('condition'),
    })
    await on.sh('rm /etc/ssh/sshd_not_to_be_run')
    await on.service.restart()
    expect(await on.listens()).toBe(true)
  })

  test('what a user gives sshd’s title is no sshd', async () => {
    await on.sh('systemctl disable --now ssh; systemctl mask ssh')
    const title = 'sshd: /usr/sbin/sshd -D -f /tmp/mine [listener] 0 of 10-100 startups'
    const forged = on.host.spawn(['perl', '-e', `$0 = '${title}'; sleep 60`], { user: 'alice' })
    await on.host.waitFor('the title', async () => (await on.sh('pgrep -f /tmp/mine')).code === 0)
    expect(await on.service.state()).toEqual({ kind: 'masked', unit: 'ssh.service' })
    forged.kill()
  })

  test('an sshd of nobody’s is not ours to restart', async () => {
    await on.sh('systemctl disable --now ssh; systemctl mask ssh; mkdir -p /run/sshd')
    const byHand = on.host.spawn(['/usr/sbin/sshd', '-D'])
    await on.host.waitFor('sshd', on.listens)
    expect(await on.service.state()).toMatchObject({
      kind: 'unmanaged',
      mainPid: expect.any(Number),
    })
    byHand.kill()
    await on.sh('pkill -x sshd')
  })

  test('sshd below a wrapper that is the main process', async () => {
    const wrapper = '#!/bin/sh\n/usr/sbin/sshd -D -o "LogLevel VERBOSE" &\nwait\n'
    await on.host.write('/usr/local/sbin/sshd-wrapper', wrapper, { mode: 0o755 })
    const unit = 'Type=simple\nExecStart=\nExecStart=/usr/local/sbin/sshd-wrapper\nKillMode=mixed\n'
    await on.host.write(DROP_IN, `[Service]\n${unit}`)
    await on.sh('systemctl daemon-reload')
    await on.service.restart()
    const state = await on.service.state()
    expect(state).toMatchObject({
      kind: 'running',
      argv: ['/usr/sbin/sshd', '-D', '-o', 'LogLevel VERBOSE'],
    })
    const pid = await on.mainPid()
    await on.service.restart()
    expect(await on.mainPid()).not.toBe(pid)
  })
})
