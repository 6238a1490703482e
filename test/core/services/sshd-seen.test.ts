import { expect, test } from 'vitest'
import { judgeSshd, type SshdSeen } from '../../../agent/core/services/sshd-seen.ts'

const unit = 'ssh.service'

test.each<[string, SshdSeen, string | undefined]>([
  ['runs', { kind: 'running', unit, listener: true }, undefined],
  ['runs, and processes are hidden', { kind: 'running', unit }, undefined],
  [
    'a unit that runs without an sshd in it',
    { kind: 'running', unit, listener: false },
    'sshd-down',
  ],
  ['behind its socket', { kind: 'idle', unit }, undefined],
  ['behind its socket, which can’t start it', { kind: 'idle', unit, load: 'masked' }, 'sshd-down'],
  ['one for each connection', { kind: 'per-connection', unit: 'ssh@.service' }, undefined],
  ['stopped', { kind: 'stopped', unit }, 'sshd-down'],
  ['failed', { kind: 'failed', unit, result: 'start-limit-hit' }, 'sshd-down'],
  ['masked', { kind: 'masked', unit, listener: false }, 'sshd-down'],
  [
    'down, and what it started runs',
    { kind: 'running', unit, listener: true, forgotten: 39 },
    'sshd-forgotten',
  ],
  ['masked, and it runs', { kind: 'masked', unit, listener: true }, 'sshd-masked'],
  ['in a container, by itself', { kind: 'unmanaged', listener: true }, undefined],
  ['nowhere', { kind: 'unmanaged', listener: false }, 'sshd-down'],
  ['by hand', { kind: 'unmanaged', listener: true, insteadOf: unit }, 'sshd-by-hand'],
  [
    'on none of its ports',
    { kind: 'running', unit, listener: true, ports: { wanted: [22], closed: [22] } },
    'sshd-down',
  ],
  [
    'on some of its ports',
    { kind: 'running', unit, listener: true, ports: { wanted: [22, 2222], closed: [2222] } },
    'sshd-port-closed',
  ],
])('%s', (_, seen, code) => {
  expect(judgeSshd(seen)?.code).toBe(code)
})

test('what starts it is the init’s own command', () => {
  const stopped = { kind: 'stopped', unit: 'ssh' } as const
  expect(judgeSshd({ ...stopped, start: 'rc-service ssh restart' })?.next).toBe(
    'run: sudo rc-service ssh restart',
  )
})
