import { describe, expect, test } from 'vitest'
import { stateOf } from '../../../../agent/provisioner/init/systemd/systemd-state.ts'
import { limitOf, parseUnits } from '../../../../agent/provisioner/init/systemd/systemd-units.ts'
import * as recorded from '../../sshd/recorded.ts'

describe.each([
  ['10s', '5', { burst: 5, intervalSeconds: 10 }],
  ['0', '5', undefined],
  ['10s', '0', undefined],
  [undefined, undefined, undefined],
])('a limit of %s and %s', (interval, burst, limit) => {
  const properties = { StartLimitIntervalUSec: interval, StartLimitBurst: burst }
  const lines = Object.entries(properties).filter(([, value]) => value !== undefined)
  test('is read', () => {
    expect(limitOf(new Map(lines as [string, string][]))).toEqual(limit)
  })
})

test.each([
  ['running', recorded.RUNNING, { kind: 'running', unit: 'ssh.service', mainPid: 39 }],
  ['an alias', recorded.ALIAS, { kind: 'running', unit: 'ssh.service', mainPid: 39 }],
  ['sshd.service', recorded.SSHD_ONLY, { kind: 'running', unit: 'sshd.service', mainPid: 386 }],
  [
    'Accept=yes',
    recorded.PER_CONNECTION,
    { kind: 'per-connection', unit: 'ssh@.service', socket: 'ssh.socket' },
  ],
  ['idle', recorded.IDLE, { kind: 'idle', unit: 'ssh.service', socket: 'ssh.socket' }],
  [
    'behind a socket',
    recorded.ACTIVATED,
    { kind: 'running', unit: 'ssh.service', mainPid: 195, socket: 'ssh.socket' },
  ],
  [
    'at its limit',
    recorded.LIMIT_HIT,
    { kind: 'failed', unit: 'ssh.service', result: 'start-limit-hit' },
  ],
  [
    'about to try again',
    recorded.AUTO_RESTART,
    { kind: 'failed', unit: 'ssh.service', result: 'exit-code' },
  ],
  ['masked', recorded.MASKED, { kind: 'masked', unit: 'ssh.service' }],
  [
    'masked while it runs',
    recorded.MASKED_RUNNING,
    { kind: 'masked', unit: 'ssh.service', mainPid: 366 },
  ],
  ['stopped', recorded.STOPPED, { kind: 'stopped', unit: 'ssh.service' }],
  ['no sshd', recorded.NONE, { kind: 'unmanaged' }],
])('the state %s', (_, text, state) => {
  expect(stateOf(parseUnits(text))).toEqual(state)
})
