import { expect, test } from 'vitest'
import { findService } from '../../../agent/provisioner/service/find-service.ts'
import { fakeClock, fakeRun, processTable, sshd } from './fake-host.ts'

async function restartsWith(paths: string[], init: string, command?: string[]) {
  const { run, ran } = fakeRun(() => ({ code: 1 }))
  const processes = processTable({ 1: { comm: `${init}\n` }, 40: sshd() })
  const exists = (path: string) => paths.includes(path)
  const clock = fakeClock()
  const service = findService({ run, processes, exists, clock, ports: async () => [] }, command)
  await service.restart().catch(() => {})
  return ran[0]
}

// openssh-server of Debian brings unit, script and runit's folder alike.
const DEBIAN = ['/etc/init.d/ssh', '/etc/service/ssh']

test.each([
  ['systemd', [...DEBIAN, '/run/systemd/system'], 'systemd', /^systemctl show/],
  [
    'OpenRC',
    [...DEBIAN, '/run/openrc/softlevel', '/run/initctl'],
    'init',
    /^rc-service ssh restart/,
  ],
  [
    'OpenRC with sshd',
    ['/etc/init.d/sshd', '/run/openrc/softlevel'],
    'openrc-init',
    /^rc-service sshd restart/,
  ],
  ['runit', [...DEBIAN], 'runit', /^sv restart ssh$/],
  ['Void', ['/var/service/sshd'], 'runit', /^sv restart sshd$/],
  ['sysvinit', [...DEBIAN, '/run/initctl'], 'init', /^\/etc\/init\.d\/ssh restart/],
])('%s', async (_, paths, init, command) => {
  expect(await restartsWith(paths, init)).toMatch(command)
})

test.each(['sh', 'sshd', 'tini', 'docker-init'])('a container with %s as process 1', async init => {
  expect(await restartsWith([...DEBIAN], init)).toBeUndefined()
})

test('the operator’s command wins', async () => {
  expect(await restartsWith(['/run/systemd/system'], 'systemd', ['kick', 'sshd'])).toBe('kick sshd')
})
