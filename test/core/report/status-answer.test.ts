import { expect, test } from 'vitest'
import type { Outcome } from '../../../agent/core/outcome/outcome.ts'
import { NO_POLLS } from '../../../agent/core/report/poll-record.ts'
import { reported } from '../../../agent/core/report/reported.ts'
import { hostStatus } from '../../../agent/core/report/status-answer.ts'
import type { Status } from '../../../agent/core/report/status-record.ts'

const NOW = new Date('2026-11-20T10:00:00Z')
const AT = '2026-11-20T09:59:00.000Z'
const KEY = { type: 'ssh-ed25519', fingerprint: 'SHA256:x', comment: 'ca' }

function status(rest: Partial<Status> = {}): Status {
  const outcome: Outcome = { outcome: 'applied', message: 'trusts 1', steps: [], trusted: [KEY] }
  return {
    ...{ version: 1, at: AT, outcome, trusted: [{ ...KEY, since: AT }], contested: false },
    held: { source: 'https://ca', acceptedAt: AT, serial: 3 },
    effective: { value: true, at: AT },
    restarts: { total: 0, recent: [], due: false },
    repaired: 0,
    ...rest,
  }
}
const told = (report: Parameters<typeof reported>[0], polls = NO_POLLS) =>
  hostStatus(reported(report, polls, { found: [], patienceMs: 3_600_000, now: NOW }))

test('what a host that is well tells', () => {
  expect(told(status())).toEqual({
    ...{ ok: true, code: 'in-force', findings: [], message: 'sshd trusts 1 CA key' },
    ...{ trusted: [KEY], serial: 3, effective: { value: true, at: AT } },
    last: { at: AT, outcome: 'applied', message: 'trusts 1' },
  })
})

test('what is wrong, and what to type there', () => {
  const broken = told(status({ effective: { value: false, at: AT } }))
  expect(broken).toMatchObject({ ok: false, code: 'not-in-force', findings: ['not-in-force'] })
  expect(broken.message).toContain('sudo pomerium-host-agent plan')
  const poll = { at: NOW.toISOString(), outcome: 'refused', code: 'rollback', message: 'older' }
  const polls = { ...NO_POLLS, lastPoll: { ...poll, outcome: 'refused' as const } }
  expect(told(status(), polls)).toMatchObject({
    ...{ ok: true, findings: ['not-followed'], last: { code: 'rollback' }, serial: 3 },
  })
})

test('of what nobody has looked at nothing is told', () => {
  const fresh = told('missing')
  expect(fresh).toMatchObject({ ok: false, code: 'nothing-yet' })
  for (const name of ['trusted', 'serial', 'effective', 'last'])
    expect(fresh).not.toHaveProperty(name)
  expect(told('damaged')).toMatchObject({ ok: false, code: 'status-damaged' })
})
