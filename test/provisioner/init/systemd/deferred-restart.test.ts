import { expect, test } from 'vitest'
import { scheduleRestart } from '../../../../agent/provisioner/init/systemd/deferred-restart.ts'
import { fakeRun } from '../../sshd/fake-host.ts'

test('a transient timer, to the second, of which nothing stays', async () => {
  const { run, ran } = fakeRun(() => '')
  expect(await scheduleRestart(run, 7.2, ['/bin/agent', 'x'])).toEqual({ kind: 'scheduled' })
  expect(ran).toEqual([
    'systemd-run --on-active=8s --timer-property=AccuracySec=100ms --unit=pomerium-host-agent-restart --description=Deferred restart of sshd --collect --quiet -- /bin/agent x',
  ])
})

test.each([
  ['247', 'Unit pomerium-host-agent-restart.timer already exists.', 'waiting', 'already-scheduled'],
  [
    '252 and 257',
    'Unit pomerium-host-agent-restart.timer was already loaded or has a fragment file.',
    'waiting',
    'already-scheduled',
  ],
  [
    'while the service runs',
    'Unit pomerium-host-agent-restart.timer was already loaded or has a fragment file.',
    'running',
    'not-scheduled',
  ],
  ['no D-Bus', 'Failed to connect to bus', '', 'not-scheduled'],
])('one that is there already: %s', async (_, stderr, subState, kind) => {
  const { run } = fakeRun(line =>
    line.startsWith('systemd-run')
      ? { code: 1, stderr: `Failed to start transient timer unit: ${stderr}` }
      : `SubState=${subState}\n`,
  )
  expect(await scheduleRestart(run, 1, ['true'])).toMatchObject({ kind })
})
