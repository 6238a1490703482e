import { expect, test } from 'vitest'
import type { Wanted } from '../../../agent/publisher/notify/judge.ts'
import { commonBundle } from '../../../agent/publisher/status/common-bundle.ts'
import type { ToldStatus } from '../../../agent/publisher/status/host-status.ts'
import { judgeStatus } from '../../../agent/publisher/status/judge-status.ts'
import { AT, toldOf } from './told.ts'

const WANTED: Wanted = { fingerprints: ['SHA256:b', 'SHA256:a'], serial: 7 }
const BOTH = ['SHA256:a', 'SHA256:b']
const NOW = new Date(Date.parse(AT) + 180_000)

const judge = (outcome: ToldStatus, wanted: Wanted | undefined = WANTED) =>
  judgeStatus('web1', { kind: 'outcome', outcome }, wanted, NOW)
const key = (fingerprint: string, adopted: string) => ({
  ...{ type: 'ssh-ed25519', fingerprint, comment: '', adopted },
})

test.each<[string, ToldStatus, string, string | undefined]>([
  ['both keys', toldOf(BOTH, 7), 'converged', undefined],
  [
    'a warning',
    toldOf(BOTH, 7, { code: 'expired', findings: ['expired'] }),
    'converged',
    'expired',
  ],
  ['an earlier serial', toldOf(['SHA256:a'], 6), 'late', undefined],
  [
    'an earlier serial, and why',
    toldOf(BOTH, 5, { last: { at: AT, outcome: 'refused', code: 'expired', message: '' } }),
    'late',
    'expired',
  ],
  ['a newer serial', toldOf(BOTH, 8), 'differs', 'other-bundle'],
  ['no serial', toldOf(BOTH, undefined), 'differs', 'other-bundle'],
  ['a third key', toldOf([...BOTH, 'SHA256:c'], 7), 'differs', 'other-bundle'],
  ['one of two', toldOf(['SHA256:a'], 7), 'differs', 'other-bundle'],
  [
    'a finding that is bad',
    toldOf(BOTH, 7, { ok: false, code: 'sshd-down', findings: ['sshd-down'] }),
    'not-well',
    'sshd-down',
  ],
  [
    'an sshd that goes by others',
    toldOf(BOTH, 7, { effective: { value: false, at: AT } }),
    'not-well',
    'in-force',
  ],
  ['no key', toldOf([], 7, { code: 'removed' }), 'not-well', 'removed'],
])('%s', (_, told, state, code) => {
  const condition = judge(told)
  expect([condition.state, condition.code]).toEqual([state, code])
})

test('a key that shall be dead and is not named so', () => {
  const wanted = { ...WANTED, revoked: ['SHA256:dead'] }
  expect(judge(toldOf(BOTH, 7), wanted)).toMatchObject({ state: 'differs', code: 'not-revoked' })
  const { adopted: _, ...dead } = key('SHA256:dead', '')
  expect(judge(toldOf(BOTH, 7, { revoked: [dead] }), wanted)).toMatchObject({
    state: 'converged',
    revoked: [dead],
  })
})

test('what is not known is not well', () => {
  const { effective: _, ...unproved } = toldOf(BOTH, 7)
  expect(judge(unproved).state).toBe('not-well')
  const { trusted: __, ...unseen } = toldOf(BOTH, 7, { ok: false, code: 'not-since-boot' })
  expect(judge(unseen)).toMatchObject({ state: 'not-well', code: 'not-since-boot' })
})

test('by how much it is late, and what its last look came to', () => {
  expect(judge(toldOf(BOTH, 5)).message).toBe(
    'late by 2: it has serial 5 and not 7; its last look, 3 min ago, found nothing newer',
  )
  const away = { at: AT, outcome: 'source-unavailable' as const, message: 'no way to the source' }
  const ahead = { ...away, at: new Date(NOW.getTime() + 60_000).toISOString() }
  expect(judge(toldOf(BOTH, 6, { last: ahead })).message).toContain('0 s ago')
  expect(judge(toldOf(BOTH, 6, { last: away })).message).toContain(
    '3 min ago: no way to the source',
  )
})

test('what a host adopted is beside the bundle, and no part of it', () => {
  const adopting = (own: string[], other: string) => {
    const told = toldOf(own, 7)
    return judge({ ...told, trusted: [...(told.trusted ?? []), key(other, '/etc/ca.pub')] }).state
  }
  expect(adopting(BOTH, 'SHA256:c')).toBe('converged')
  expect(adopting(['SHA256:a'], 'SHA256:b')).toBe('differs')
})

test.each([
  [{ kind: 'unreachable', code: 'timeout', message: 'no answer' }, 'unreachable', 'timeout'],
  [{ kind: 'rejected', code: 'answer-forged', message: 'no' }, 'failed', 'answer-forged'],
  [{ kind: 'pending' }, 'failed', 'not-an-agent'],
] as const)('%j', (reply, state, code) => {
  expect(judgeStatus('web1', reply, WANTED, NOW)).toMatchObject({ state, code })
})

test('without a bundle the highest serial is what all should have', () => {
  const fleet = [toldOf(['SHA256:old'], 6), toldOf(['SHA256:old'], 6), toldOf(BOTH, 7)]
  const wanted = commonBundle(fleet)
  expect(wanted).toEqual({ fingerprints: BOTH, serial: 7 })
  expect(fleet.map(told => judge(told, wanted).state)).toEqual(['late', 'late', 'converged'])
})

test('and where there are no serials, what most of them trust', () => {
  const fleet = [['SHA256:b'], ['SHA256:a'], ['SHA256:a']].map(keys => toldOf(keys, undefined))
  const wanted = commonBundle(fleet)
  expect(fleet.map(told => judge(told, wanted).state)).toEqual([
    'differs',
    'converged',
    'converged',
  ])
  expect(commonBundle([toldOf([], 9)])).toBeUndefined()
})
