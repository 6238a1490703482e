import { expect, test } from 'vitest'
import type { Outcome } from '../../../agent/core/outcome/outcome.ts'
import { judgeReply, type Standing, type Wanted } from '../../../agent/publisher/notify/judge.ts'
import { outcomeWith } from './outcomes.ts'

const WANTED = { fingerprints: ['SHA256:a', 'SHA256:b'], serial: 7 }
const BOTH = ['SHA256:b', 'SHA256:a']

test.each<[string, Outcome, Standing['state'], string | undefined]>([
  ['both keys', outcomeWith('applied', BOTH, { serial: 7 }), 'converged', undefined],
  ['both before', outcomeWith('unchanged', BOTH, { serial: 7 }), 'converged', undefined],
  ['one key', outcomeWith('unchanged', ['SHA256:a'], { serial: 6 }), 'waiting', 'other-bundle'],
  [
    'a third',
    outcomeWith('applied', [...BOTH, 'SHA256:c'], { serial: 7 }),
    'waiting',
    'other-bundle',
  ],
  ['another serial', outcomeWith('unchanged', BOTH, { serial: 6 }), 'waiting', 'other-bundle'],
  ['no serial', outcomeWith('unchanged', BOTH), 'waiting', 'other-bundle'],
  [
    'the restart put off',
    outcomeWith('applied', BOTH, { serial: 7, service: { unit: 'ssh', action: 'deferred' } }),
    'waiting',
    'restart-deferred',
  ],
  ['no source', outcomeWith('source-unavailable', BOTH, { code: 'timeout' }), 'waiting', 'timeout'],
  ['an older copy', outcomeWith('refused', BOTH, { code: 'rollback' }), 'waiting', 'rollback'],
  ['a bad bundle', outcomeWith('refused', BOTH, { code: 'private-key' }), 'failed', 'private-key'],
  ['a broken sshd', outcomeWith('host-refused', [], { code: 'broken' }), 'failed', 'broken'],
  ['rolled back', outcomeWith('rolled-back', [], { code: 'step-failed' }), 'failed', 'step-failed'],
])('%s: %#', (_, outcome, state, code) => {
  const standing = judgeReply({ kind: 'outcome', outcome }, WANTED)
  expect([standing.state, standing.code]).toEqual([state, code])
  expect(standing.effective).toBe(state === 'converged' ? true : undefined)
})

test('without a bundle to hold, any cycle that ended well will do', () => {
  const outcome = outcomeWith('unchanged', ['SHA256:a'])
  expect(judgeReply({ kind: 'outcome', outcome }, undefined).state).toBe('converged')
  const rollback = outcomeWith('refused', [], { code: 'rollback' })
  expect(judgeReply({ kind: 'outcome', outcome: rollback }, undefined).state).toBe('failed')
})

test('beside the wanted keys only such as were adopted, where it is said which must be gone', () => {
  const judge = (trusted: string[], gone: string[]) => {
    const outcome = outcomeWith('applied', trusted, { serial: 7 })
    return judgeReply({ kind: 'outcome', outcome }, { ...WANTED, gone }).state
  }
  expect(judge([...BOTH, 'SHA256:adopted'], ['SHA256:old'])).toBe('converged')
  expect(judge([...BOTH, 'SHA256:old'], ['SHA256:old'])).toBe('failed')
  expect(judge(['SHA256:a', 'SHA256:adopted'], [])).toBe('waiting')
})

test('who still trusts the old key is not done, and it is said by which file', () => {
  const judge = (key: object, serial = 7) => {
    const outcome = outcomeWith('unchanged', BOTH, { serial })
    const old = { type: 'ssh-ed25519', fingerprint: 'SHA256:old', comment: '', ...key }
    const reply = {
      kind: 'outcome' as const,
      outcome: { ...outcome, trusted: [...outcome.trusted, old] },
    }
    return judgeReply(reply, { ...WANTED, gone: ['SHA256:old'] })
  }
  expect(judge({ adopted: '/etc/ssh/team.pub' })).toMatchObject({
    state: 'failed',
    code: 'old-key-trusted',
    message: expect.stringContaining('out of /etc/ssh/team.pub'),
  })
  expect(judge({})).toMatchObject({ state: 'failed', code: 'old-key-trusted' })
  // While it has not come by the new bundle, that is what is said.
  expect(judge({}, 6)).toMatchObject({ state: 'waiting', code: 'other-bundle' })
})

test('what the bundle revokes must be said to be dead, each of it', () => {
  const judge = (dead?: string[], revoked = ['SHA256:x', 'SHA256:y']) => {
    const keys = dead && outcomeWith('applied', dead).trusted
    const outcome = outcomeWith('applied', BOTH, {
      serial: 7,
      ...(keys === undefined ? {} : { revoked: keys }),
    })
    return judgeReply({ kind: 'outcome', outcome }, { ...WANTED, gone: [], revoked })
  }
  const missing = { state: 'failed', code: 'not-revoked' }
  expect(judge(['SHA256:y', 'SHA256:x', 'SHA256:z']).state).toBe('converged')
  expect(judge(['SHA256:x'])).toMatchObject({
    ...missing,
    message: expect.stringContaining('SHA256:y'),
  })
  expect(judge()).toMatchObject(missing)
  expect(judge(undefined, []).state).toBe('converged')
})

test('what a host says that it adopted is not of the bundle', () => {
  const judge = (own: string[], adopted: string[], wanted: Wanted = WANTED) => {
    const outcome = outcomeWith('applied', own, { serial: 7 })
    const others = outcomeWith('applied', adopted).trusted
    const trusted = [...outcome.trusted, ...others.map(key => ({ ...key, adopted: '/etc/ca.pub' }))]
    return judgeReply({ kind: 'outcome', outcome: { ...outcome, trusted } }, wanted).state
  }
  expect(judge(BOTH, ['SHA256:c'])).toBe('converged')
  expect(judge(BOTH, ['SHA256:c'], { ...WANTED, gone: ['SHA256:c'] })).toBe('failed')
  expect(judge(['SHA256:a'], ['SHA256:b'])).toBe('waiting')
})
