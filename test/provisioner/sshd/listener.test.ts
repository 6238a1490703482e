import { expect, test } from 'vitest'
import { findListeners } from '../../../agent/provisioner/sshd/listener.ts'
import { processTable, sshd } from './fake-host.ts'

const find = (over: Parameters<typeof sshd>[0]) => findListeners(processTable({ 39: sshd(over) }))

test.each([
  ['version 2', '0::/system.slice/ssh.service\n', 'ssh.service'],
  ['both', '9:name=systemd:/\n1:cpu:/\n0::/system.slice/ssh.service\n', 'ssh.service'],
  [
    'version 1',
    '4:pids:/x.service\n1:name=systemd:/system.slice/openssh.service\n',
    'openssh.service',
  ],
  ['a folder below', '0::/system.slice/ssh.service/supervisor\n', 'ssh.service'],
  ['a shell', '0::/user.slice/user-0.slice/session-1.scope\n', undefined],
  ['no systemd', '0::/\n', undefined],
])('its unit with cgroups of %s', (_, cgroup, unit) => {
  expect(find({ cgroup })[0]?.unit).toBe(unit)
})

test('an sshd of a container is none of the host’s', () => {
  expect(find({ status: 'Name:\tsshd\nUid:\t0\t0\t0\t0\nNSpid:\t4711\t39\n' })).toEqual([])
})

test('who is not root has no sshd of the host’s, whatever its title says', () => {
  expect(find({})).toHaveLength(1)
  expect(find({ status: 'Name:\tperl\nUid:\t1000\t0\t0\t0\nNSpid:\t39\n' })).toEqual([])
})

test('a process that is gone meanwhile is none', () => {
  const table = { pids: () => [39], inService: () => [], read: () => undefined }
  expect(findListeners(table)).toEqual([])
})
