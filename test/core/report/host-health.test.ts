import { describe, expect, test } from 'vitest'
import { bad, warn } from '../../../agent/core/outcome/finding.ts'
import type { Outcome } from '../../../agent/core/outcome/outcome.ts'
import {
  findingsOf,
  judge,
  type Known,
  lastCycle,
  standingTrouble,
} from '../../../agent/core/report/host-health.ts'
import { metricsInput } from '../../../agent/core/report/metrics-input.ts'
import { reported } from '../../../agent/core/report/reported.ts'
import type { Status } from '../../../agent/core/report/status-record.ts'

const NOW = new Date('2026-11-20T10:00:00Z')
const AT = '2026-11-20T09:59:00.000Z'
const KEY = { type: 'ssh-ed25519', fingerprint: 'SHA256:x', comment: 'ca' }

const status = (change: Partial<Status> = {}): Status => ({
  version: 1,
  at: AT,
  outcome: { outcome: 'unchanged', message: '', steps: [], trusted: [KEY] },
  trusted: [KEY],
  contested: false,
  restarts: { recent: [], total: 0, due: false },
  repaired: 0,
  ...change,
})

const known = (change: Partial<Known> = {}): Known => ({
  status: status(),
  polls: { version: 1, cycles: {} },
  trusted: [KEY],
  effective: { value: true, at: AT },
  last: { at: AT, outcome: 'unchanged', message: '' },
  trouble: undefined,
  lastSuccess: AT,
  standsDown: false,
  contested: false,
  found: [],
  patienceMs: 3_600_000,
  now: NOW,
  ...change,
})

const last = (outcome: Outcome['outcome'], at = AT) => ({ at, outcome, message: 'why' })
const polled = { version: 1 as const, cycles: {}, lastPoll: last('unchanged') }
const NOTHING = { trusted: undefined, effective: undefined, last: undefined }

describe('the worst that is so comes first', () => {
  test.each<[string, Partial<Known>, string]>([
    ['all is well', {}, 'in-force'],
    ['nothing ran ever', { ...NOTHING, status: 'missing' }, 'nothing-yet'],
    ['nothing ran since boot', { ...NOTHING, status: 'missing', polls: polled }, 'not-since-boot'],
    ['keys lie there, nobody told', { status: 'missing', effective: undefined }, 'not-since-boot'],
    ['a garbled status', { ...NOTHING, status: 'damaged' }, 'status-damaged'],
    ['a person is needed', { trouble: last('rollback-failed') }, 'person-needed'],
    ['contested', { contested: true, trouble: last('host-refused') }, 'contested'],
    ['read-only, and the keys in force', { trouble: last('host-refused') }, 'not-followed'],
    ['no key', { trusted: [], trouble: last('refused') }, 'no-keys'],
    [
      'removed',
      { trusted: [], standsDown: true, found: [bad('agent-stopped', '', '')] },
      'removed',
    ],
    [
      'removed, and nobody gets in by any key',
      { trusted: [], standsDown: true, found: [bad('sshd-down', '', '')] },
      'sshd-down',
    ],
    ['stands down, and trusts keys', { standsDown: true }, 'in-force'],
    [
      'not all could be taken off',
      {
        ...{ trusted: [], standsDown: true },
        trouble: { ...last('host-refused'), code: 'not-given-back' },
      },
      'no-keys',
    ],
    [
      'the record damaged',
      { trouble: { ...last('host-refused'), code: 'state-damaged' } },
      'state-damaged',
    ],
    ['the keys gone that were applied', { trusted: [], last: last('applied') }, 'no-keys'],
    [
      'shadowed',
      { effective: { value: false, at: AT }, trouble: last('host-refused') },
      'not-in-force',
    ],
    ['never proved', { effective: undefined }, 'unproved'],
    ['silent for a day', { last: last('unchanged', '2026-11-19T10:00:00Z') }, 'stale'],
    ['the source away for a day', { lastSuccess: '2026-11-19T10:00:00Z' }, 'source-away'],
    ['sshd down, before all else', { trusted: [], found: [bad('sshd-down', '', '')] }, 'sshd-down'],
    ['a warning, after what is bad', { trusted: [], found: [warn('drift', '', '')] }, 'no-keys'],
    [
      'the configuration of sshd broken',
      { trouble: { ...last('host-refused'), code: 'sshd-config-broken' } },
      'sshd-config-broken',
    ],
    ['the source is away', { trouble: last('source-unavailable') }, 'not-followed'],
    ['refused, and the last good stays', { trouble: last('refused') }, 'not-followed'],
    [
      'expired',
      { status: status({ held: { source: 's', acceptedAt: AT, expires: AT } }) },
      'expired',
    ],
    ['a slow clock', { polls: { ...polled, clockSkewSeconds: 31 } }, 'clock-skew'],
    ['a clock that will do', { polls: { ...polled, clockSkewSeconds: -30 } }, 'in-force'],
  ])('%s', (_, change, code) => {
    expect(judge(known(change)).code).toBe(code)
  })

  test('whatever is bad says what to do', () => {
    for (const change of [
      { status: 'missing' as const },
      { status: 'damaged' as const },
      { effective: { value: false, at: AT } },
      { trouble: last('rollback-failed') },
    ]) {
      expect(judge(known(change)).next).toBeDefined()
    }
  })

  test('how long it has been silent', () => {
    const at = '2026-11-17T10:00:00Z'
    expect(judge(known({ last: last('unchanged', at) })).headline).toMatch(/for 3 days$/)
  })
})

test.each<[string, Outcome['outcome'], Outcome['outcome'], Outcome['outcome'] | undefined]>([
  ['nothing new says nothing of the host', 'host-refused', 'unchanged', 'host-refused'],
  ['but that the source is there again', 'source-unavailable', 'unchanged', undefined],
  ['the later of two', 'host-refused', 'source-unavailable', 'source-unavailable'],
  ['none', 'applied', 'unchanged', undefined],
])('trouble that stands: %s', (_, turn, poll, stands) => {
  const later = last(poll, '2026-11-20T09:59:30.000Z')
  expect(standingTrouble(last(turn), later, NOW)?.outcome).toBe(stands)
  expect(lastCycle(last(turn), later, NOW)).toBe(later)
})

test.each<[Outcome['outcome'], string | undefined, Outcome['outcome'] | undefined]>([
  ['source-unavailable', undefined, 'source-unavailable'],
  ['refused', undefined, 'refused'],
  // An apply that had a bundle before the poll, and after it.
  ['source-unavailable', '2026-11-20T09:58:00.000Z', 'source-unavailable'],
  ['source-unavailable', '2026-11-20T09:59:30.000Z', undefined],
  ['host-refused', undefined, undefined],
])('a look at the host mends nothing of the source: %s, applied at %s', (poll, applied, stands) => {
  const look = last('unchanged', '2026-11-20T09:59:30.000Z')
  expect(standingTrouble(look, last(poll), NOW, applied)?.outcome).toBe(stands)
})

test('a poll that woke the provisioner ended with its turn', () => {
  const turn = last('applied', '2026-11-20T09:59:30.000Z')
  expect(lastCycle(turn, last('applied'), NOW)).toBe(turn)
  expect(lastCycle(undefined, last('unchanged'), NOW)?.outcome).toBe('unchanged')
})

// The clock was a day ahead when it applied, and was set right since.
test.each(['source-unavailable', 'refused'] as const)(
  'a time from the future hides no later %s',
  outcome => {
    const tomorrow = '2026-11-21T09:00:00.000Z'
    const poll = last(outcome, '2026-11-20T09:59:30.000Z')
    const turn = last('applied', tomorrow)
    expect(lastCycle(turn, poll, NOW)).toBe(poll)
    expect(standingTrouble(turn, poll, NOW, tomorrow)).toBe(poll)
    const applies = { lastSuccess: tomorrow, cycles: {} }
    const told = status({ at: tomorrow, applies, effective: { value: true, at: AT } })
    const polls = {
      version: 1 as const,
      cycles: {},
      lastSuccess: '2026-11-19T10:00:00.000Z',
      lastPoll: poll,
    }
    const all = reported(told, polls, { found: [], patienceMs: 3_600_000, now: NOW })
    expect(findingsOf(all).map(({ code }) => code)).toEqual(['source-away', 'not-followed'])
    const input = metricsInput(told, polls, '1', true, NOW)
    expect(input.lastSuccess?.toISOString()).toBe('2026-11-19T10:00:00.000Z')
    expect(input.lastCycle?.toISOString()).toBe(poll.at)
  },
)
