import { expect, test } from 'vitest'
import { optional } from '../../../../agent/core/basics/when-defined.ts'
import { openSystemd } from '../../../../agent/provisioner/init/systemd/sshd-unit.ts'
import type { FoundSshd } from '../../../../agent/provisioner/sshd/ssh-service.ts'
import { fakeClock, fakeRun, processTable, sshd } from '../../sshd/fake-host.ts'
import * as recorded from '../../sshd/recorded.ts'

/** A host that answers each `systemctl show` by the next of `shows`, the last one again and again. */
function open(
  shows: string[],
  {
    processes = { 39: sshd(), 40: sshd() },
    restart = [0],
    journal = '',
    said = 'Job for ssh.service failed.',
    onRestart = () => {},
    found,
  }: {
    found?: FoundSshd
    processes?: Parameters<typeof processTable>[0]
    restart?: number[]
    journal?: string
    said?: string
    onRestart?: () => void
  } = {},
) {
  const { run, ran } = fakeRun(line => {
    if (line.startsWith('systemctl show'))
      return (shows.length > 1 ? shows.shift() : shows[0]) ?? ''
    if (line.startsWith('journalctl')) return journal
    if (/^systemctl (try-)?restart/.test(line)) {
      if (processes[39] !== undefined) delete processes[39]
      onRestart()
      const code = (restart.length > 1 ? restart.shift() : restart[0]) ?? 0
      return {
        code,
        stderr: code === 0 ? '' : `${said}\nSee "systemctl status".`,
      }
    }
    return ''
  })
  const host = { run, processes: processTable(processes), clock: fakeClock() }
  const service = openSystemd({ ...host, ports: async () => [22], ...optional('found', found) })
  const changes = () => ran.filter(line => !/^(systemctl show|journalctl)/.test(line))
  const behind = () => ran.slice(ran.findLastIndex(line => /^systemctl (try-)?restart/.test(line)))
  return { service, changes, behind }
}

const RUNS = recorded.RUNNING.replace('MainPID=39', 'MainPID=40')

test('a running unit is restarted, and no more', async () => {
  const { service, changes } = open([recorded.RUNNING, RUNS])
  await service.restart()
  expect(changes()).toEqual(['systemctl try-restart ssh.service'])
})

test.each([
  ['before it', 0],
  ['in the middle of it', 1],
])('one that somebody stops %s stays stopped, which is no failure', async (_, code) => {
  const shows = [recorded.RUNNING, recorded.STOPPED_SINCE]
  const said = 'Job for ssh.service canceled.'
  const { service, changes } = open(shows, { restart: [code], said })
  await service.restart()
  expect(changes()).toEqual(['systemctl try-restart ssh.service'])
})

test('one that its dependency takes down is told', async () => {
  const shows = [recorded.RUNNING, recorded.STOPPED_SINCE]
  const said = 'A dependency job for ssh.service failed.'
  const { service } = open(shows, { restart: [1], said })
  await expect(service.restart()).rejects.toMatchObject({ code: 'restart-failed' })
})

test('one that failed beside the sshd that it let go of is taken over', async () => {
  const processes = { 40: sshd() }
  const { service } = open([recorded.LIMIT_HIT], { processes })
  expect(await service.state()).toMatchObject({ kind: 'running', mainPid: 40, forgotten: true })
})

test('a new sshd of the unit that says that it listens is proof: systemd is not asked again', async () => {
  const processes: Parameters<typeof processTable>[0] = { 39: sshd() }
  const { service, behind } = open([recorded.RUNNING, recorded.LIMIT_HIT], {
    processes,
    onRestart: () => {
      processes[40] = sshd()
    },
  })
  await service.restart()
  expect(behind()).toEqual(['systemctl try-restart ssh.service'])
})

test.each([
  ['was there before', { 39: sshd(), 40: sshd() }, {}],
  ['does not say so', { 39: sshd() }, { 40: sshd({ cmdline: '/usr/sbin/sshd\0-D\0' }) }],
  ['is another unit’s', { 39: sshd() }, { 40: sshd({ cgroup: '0::/system.slice/x.service\n' }) }],
])('of one that %s systemd decides', async (_, before, after) => {
  const processes: Parameters<typeof processTable>[0] = { ...before }
  const { service } = open([recorded.RUNNING, recorded.STOPPED], {
    processes,
    onRestart: () => Object.assign(processes, after),
  })
  await expect(service.restart()).rejects.toMatchObject({ code: 'restart-failed' })
})

test('the limit that others have spent is made good', async () => {
  const { service, changes } = open([recorded.RUNNING, recorded.LIMIT_HIT, RUNS], {
    restart: [1, 0],
  })
  await service.restart()
  expect(changes()).toEqual([
    'systemctl try-restart ssh.service',
    'systemctl reset-failed ssh.service',
    'systemctl restart ssh.service',
  ])
})

test('a failed unit is reset first', async () => {
  const processes: Parameters<typeof processTable>[0] = {}
  const onRestart = () => {
    processes[40] = sshd()
  }
  const { service, changes } = open([recorded.AUTO_RESTART, RUNS], { processes, onRestart })
  await service.restart()
  expect(changes()).toEqual(['systemctl reset-failed ssh.service', 'systemctl restart ssh.service'])
})

test.each([recorded.IDLE, recorded.PER_CONNECTION])(
  'a socket that waits is left alone',
  async show => {
    const { service, changes } = open([show])
    await service.restart()
    expect(changes()).toEqual([])
  },
)

test('what a connection has started behind a socket since we looked is restarted', async () => {
  const { service, changes } = open([recorded.IDLE, recorded.RUNNING, RUNS])
  expect(await service.state()).toMatchObject({ kind: 'idle' })
  await service.restart()
  expect(changes()).toEqual(['systemctl try-restart ssh.service'])
})

test('the reason is the journal’s, without systemd’s routine', async () => {
  const journal = `Stopping OpenBSD Secure Shell server...
ssh.service: Succeeded.
Starting OpenBSD Secure Shell server...
/etc/ssh/sshd_config.d/b.conf: line 1: Bad configuration option: Bogus
ssh.service: Control process exited, code=exited, status=255/EXCEPTION
ssh.service: Scheduled restart job, restart counter is at 1.
`
  const shows = [recorded.RUNNING, recorded.AUTO_RESTART]
  await expect(open(shows, { restart: [1], journal }).service.restart()).rejects.toMatchObject({
    code: 'restart-failed',
    message:
      'systemctl restart ssh.service: /etc/ssh/sshd_config.d/b.conf: line 1: Bad configuration option: Bogus; ssh.service: Control process exited, code=exited, status=255/EXCEPTION; Job for ssh.service failed.',
  })
})

test('a success that leaves the unit stopped is none', async () => {
  const shows = [recorded.RUNNING, recorded.STOPPED]
  await expect(open(shows).service.restart()).rejects.toMatchObject({ code: 'restart-failed' })
})

test('a restart that does not end', async () => {
  const shows = [recorded.RUNNING, RUNS]
  const { service } = open(shows, { restart: [124] })
  await expect(service.restart()).rejects.toMatchObject({ code: 'timed-out' })
})

test('masked', async () => {
  const { service, changes } = open([recorded.MASKED], { processes: {} })
  await expect(service.restart()).rejects.toMatchObject({ code: 'masked' })
  expect(changes()).toEqual([])
})

test('a unit that systemd takes for inactive, and whose sshd runs on in it', async () => {
  const processes = { 40: sshd({ cgroup: '0::/system.slice/ssh.service\n' }) }
  const found = { unit: 'ssh.service', options: [] }
  const { service } = open([recorded.STOPPED], { processes, found })
  expect(await service.state()).toMatchObject({ kind: 'running', unit: 'ssh.service', mainPid: 40 })
})

test('no unit of the known names, but an sshd that listens', async () => {
  const cgroup = '0::/system.slice/openssh.service\n'
  const named = open([recorded.NONE], { processes: { 40: sshd({ cgroup }) } })
  expect(await named.service.state()).toMatchObject({ kind: 'running', unit: 'openssh.service' })
  const byHand = open([recorded.NONE], { processes: { 40: sshd({ cgroup: '0::/\n' }) } })
  expect(await byHand.service.state()).toMatchObject({ kind: 'unmanaged', mainPid: 40 })
})

test('a failed unit stays the one to restart where another sshd listens', async () => {
  const rescue = { 40: sshd({ cgroup: '0::/system.slice/sshd-rescue.service\n' }) }
  const { service } = open([recorded.LIMIT_HIT], { processes: rescue })
  expect(await service.state()).toMatchObject({ kind: 'failed', unit: 'ssh.service' })
})

const SFTP = sshd({
  cmdline: 'sshd: /usr/sbin/sshd -D -f /etc/ssh/sftp_config [listener] 0 of 10-100 startups\0',
  cgroup: '0::/system.slice/sftp.service\n',
})

test.each([
  ['stopped', recorded.STOPPED],
  ['masked', recorded.MASKED],
])('%s: an sshd with a configuration of its own does not take its place', async (kind, show) => {
  const found = { unit: 'ssh.service', options: [] }
  for (const before of [undefined, found]) {
    const { service } = open([show], { processes: { 40: SFTP }, ...optional('found', before) })
    expect(await service.state()).toEqual({ kind, unit: 'ssh.service' })
  }
})

test('the sshd that was found stays the one; another of its configuration keeps changes away', async () => {
  const found = { unit: 'ssh.service', options: [] }
  const byHand = sshd({ cgroup: '0::/user.slice\n' })
  const { service } = open([recorded.STOPPED], { processes: { 39: SFTP, 40: byHand }, found })
  expect(await service.state()).toEqual({
    kind: 'unmanaged',
    mainPid: 40,
    insteadOf: 'ssh.service',
  })
})

test('limits: of the unit, and none where there is no unit', async () => {
  expect(await open([recorded.RUNNING]).service.limit()).toEqual({ burst: 5, intervalSeconds: 10 })
  expect(await open([recorded.PER_CONNECTION]).service.limit()).toBeUndefined()
  expect(await open([recorded.NONE], { processes: {} }).service.limit()).toBeUndefined()
})
