import { expect, test } from 'vitest'
import { renderStatus, type StatusReport } from '../../../agent/cli/host/render-status.ts'

const NOW = new Date('2026-11-20T10:00:00Z')
const FINGERPRINT = 'SHA256:MpOfUiiSc+oZdn/4EPNM/hEAJmFu/Ma7nA1fY2HGWps'
const key = { type: 'ssh-ed25519', fingerprint: FINGERPRINT, comment: 'pomerium-user-ca-2026-11' }

const NONE = { findings: [], unseen: [] }

test('a host where all is well', () => {
  const report: StatusReport = {
    verdict: { code: 'in-force', level: 'good', headline: 'sshd trusts 2 CA keys' },
    trusted: [
      { ...key, since: '2026-11-01T08:30:00.000Z' },
      { ...key, comment: 'next', since: '2026-11-20T09:00:00.000Z' },
    ],
    bundle: {
      source: 'https://ssh-ca.example.com/bundle',
      acceptedAt: '2026-11-20T09:00:00.000Z',
      serial: 42,
      issued: '2026-11-20T08:59:00.000Z',
      expires: '2026-12-20T10:00:00.000Z',
      signer: { principal: 'ops@example.com', fingerprint: 'SHA256:abc' },
    },
    effective: { value: true, at: '2026-11-20T09:40:00.000Z' },
    last: { at: '2026-11-20T09:58:00.000Z', outcome: 'unchanged', message: 'nothing new' },
    nextPoll: { by: 'timer', at: '2026-11-20T10:03:00.000Z' },
    restarts: { total: 5, due: false, used: 1, left: 2, withinSeconds: 11 },
    clockSkewSeconds: 0,
    warnings: [],
    ...NONE,
  }
  expect(renderStatus(report, NOW)).toEqual([
    'in-force: sshd trusts 2 CA keys',
    '',
    `trusted    ${FINGERPRINT}`,
    '             ssh-ed25519 pomerium-user-ca-2026-11, since 2026-11-01 08:30Z',
    `           ${FINGERPRINT}`,
    '             ssh-ed25519 next, since 2026-11-20 09:00Z',
    'from       https://ssh-ca.example.com/bundle',
    'bundle     serial 42, issued 2026-11-20 08:59Z, taken 2026-11-20 09:00Z',
    '           expires 2026-12-20 10:00Z (in 30 days)',
    'signed by  ops@example.com',
    '           SHA256:abc',
    'in sshd    yes, seen 20 min ago',
    'last       unchanged 2 min ago',
    'next poll  in 3 min',
    'restarts   5 so far, 1 in the last 11 s and 2 left',
    "clock      as the source's, within 1 s",
  ])
})

test('a host that is refused: what is wrong comes first, and its whole story last', () => {
  const trouble = {
    at: '2026-11-20T09:58:00.000Z',
    outcome: 'host-refused' as const,
    code: 'shadowed',
    message: 'sshd uses another file. Look there; mend it',
  }
  const report: StatusReport = {
    verdict: { code: 'not-in-force', level: 'bad', headline: 'sshd goes its way', next: 'look' },
    trusted: [key],
    effective: { value: false, at: trouble.at },
    last: trouble,
    trouble,
    restarts: { total: 0, due: true },
    clockSkewSeconds: 45,
    warnings: ['an RSA key of 2048 bits'],
    ...NONE,
  }
  expect(renderStatus(report, NOW)).toEqual([
    'not-in-force: sshd goes its way',
    '  look',
    '',
    `trusted    ${FINGERPRINT}`,
    '             ssh-ed25519 pomerium-user-ca-2026-11',
    'in sshd    NO, seen 2 min ago',
    'last       host-refused (shadowed) 2 min ago',
    'next poll  none: nothing here asks the source by itself',
    'restarts   0 so far; one is put off, and will be made',
    "clock      this host's clock is 45 s behind the source's; see timedatectl:",
    '           certificates fail on a clock that is a minute slow',
    '',
    'host-refused (shadowed): sshd uses another file.',
    '  Look there',
    '  mend it',
    '',
    'warning: an RSA key of 2048 bits',
  ])
})

test.each<[string, StatusReport['nextPoll']]>([
  [
    'held at the source (long poll); in 3 min at the latest',
    { by: 'resident', at: '2026-11-20T10:03:00.000Z', held: true },
  ],
  ['in 3 min', { by: 'resident', at: '2026-11-20T10:03:00.000Z' }],
  ['none: nothing here asks the source by itself', { by: 'resident', stopped: true }],
])('a daemon that stays: %s', (words, nextPoll) => {
  const verdict = { code: 'in-force', level: 'good', headline: 'all is well' } as const
  const report: StatusReport = { verdict, ...(nextPoll && { nextPoll }), warnings: [], ...NONE }
  expect(renderStatus(report, NOW)).toContain(`next poll  ${words}`)
})

test('a host on which nothing ran', () => {
  const report: StatusReport = {
    verdict: { code: 'nothing-yet', level: 'bad', headline: 'nothing has run', next: 'run it' },
    nextPoll: { by: 'timer' },
    warnings: [],
    ...NONE,
  }
  expect(renderStatus(report, NOW)).toEqual([
    'nothing-yet: nothing has run',
    '  run it',
    '',
    'next poll  under way',
  ])
})

test('a tree, for which nothing polls', () => {
  const verdict = { code: 'nothing-yet', level: 'bad', headline: 'nothing has run' } as const
  expect(renderStatus({ verdict, tree: true, warnings: [], ...NONE }, NOW)).toEqual([
    'nothing-yet: nothing has run',
  ])
})

test('every finding, the worst first, and what could not be seen; within 80 columns', () => {
  const finding = (code: 'sshd-down' | 'agent-stopped', headline: string) => ({
    ...{ code, level: 'bad' as const, headline, next: 'run: sudo systemctl start it' },
  })
  const findings = [
    finding('sshd-down', 'sshd is not running: ssh.service is stopped'),
    finding(
      'agent-stopped',
      'the agent can put nothing in force: pomerium-host-agent-provisioner.socket is stopped',
    ),
  ]
  const [verdict] = findings as [(typeof findings)[0]]
  const unseen = [{ what: 'what sshd uses', why: 'only root' }]
  const trusted = [{ ...key, comment: 'a comment of very many words '.repeat(9).trim() }]
  const lines = renderStatus({ verdict, findings, trusted, tree: true, warnings: [], unseen }, NOW)
  expect(lines.slice(0, 7)).toEqual([
    'sshd-down: sshd is not running: ssh.service is stopped',
    '  run: sudo systemctl start it',
    '',
    'agent-stopped: the agent can put nothing in force:',
    '  pomerium-host-agent-provisioner.socket is stopped',
    '  run: sudo systemctl start it',
    '',
  ])
  expect(lines.slice(-3)).toEqual(['', 'not seen:', '  what sshd uses  only root'])
  expect(lines.filter(line => line.length > 80)).toEqual([])
})
