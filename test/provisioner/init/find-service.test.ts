import { expect, test } from 'vitest'
import { findService } from '../../../agent/provisioner/init/find-service.ts'
import { fakeClock, fakeRun, processTable, sshd } from '../sshd/fake-host.ts'

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
  ['OpenRC without sshd, under runit', ['/run/openrc/softlevel', '/service/ssh'], 'runit', /^sv /],
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

const processes = (...all: [pid: number, words: string][]) =>
  processTable({
    1: { comm: 'init\n' },
    ...Object.fromEntries(
      all.map(([pid, words]) => [
        pid,
        sshd({ cmdline: `sshd: /usr/sbin/sshd ${words} [listener] 0 of 10-100 startups\0` }),
      ]),
    ),
  })
const SFTP = '-f /etc/ssh/sftp_config'

test.each<[string, string[], Parameters<typeof processes>, string[] | undefined, unknown]>([
  ['sysvinit, stopped', ['/run/initctl'], [[40, SFTP]], undefined, { kind: 'stopped' }],
  [
    'sysvinit, running',
    ['/run/initctl'],
    [
      [40, SFTP],
      [41, '-D'],
    ],
    undefined,
    { mainPid: 41 },
  ],
  [
    'sysvinit, found with -f',
    ['/run/initctl'],
    [
      [40, SFTP],
      [41, '-D'],
    ],
    ['-f', '/etc/ssh/sftp_config'],
    { mainPid: 40 },
  ],
  [
    'a container',
    [],
    [
      [40, SFTP],
      [41, '-D'],
    ],
    undefined,
    { mainPid: 41 },
  ],
  ['a container with one of its own configuration', [], [[40, SFTP]], undefined, { mainPid: 40 }],
  ['a container whose sshd is stopped', [], [[40, SFTP]], [], { kind: 'unmanaged' }],
])(
  'another sshd is not taken for the one that was found: %s',
  async (_, paths, all, options, state) => {
    const { run } = fakeRun(() => ({ code: 1 }))
    const exists = (path: string) => ['/etc/init.d/ssh', ...paths].includes(path)
    const found = options === undefined ? {} : { found: { options } }
    const parts = { run, exists, clock: fakeClock(), ports: async () => [], ...found }
    const seen = await findService({ ...parts, processes: processes(...all) }).state()
    expect(seen).toMatchObject(state as object)
    expect('mainPid' in seen).toBe('mainPid' in (state as object))
  },
)
