import { expect, test } from 'vitest'
import { observedState } from '../../../agent/provisioner/sshd/observed-state.ts'

const unit = 'ssh.service'
const socket = 'ssh.socket'

test.each([
  [{ kind: 'running', unit, mainPid: 1 }, 'running'],
  [{ kind: 'failed', unit, result: 'start-limit-hit' }, 'failed'],
  [{ kind: 'idle', unit, socket }, 'not-running'],
  [{ kind: 'per-connection', unit, socket }, 'not-running'],
  [{ kind: 'stopped', unit }, 'not-running'],
  [{ kind: 'masked', unit }, 'not-running'],
  [{ kind: 'masked', unit, mainPid: 1 }, 'not-ours'],
  [{ kind: 'unmanaged', mainPid: 1 }, 'not-ours'],
  [{ kind: 'unmanaged' }, 'none'],
] as const)('%j is %s to a plan', (state, kind) => {
  expect(observedState(state).kind).toBe(kind)
})
