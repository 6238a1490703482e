import { expect, test } from 'vitest'
import { renderMetrics } from '../../../agent/core/report/metrics.ts'
import type { MetricsInput } from '../../../agent/core/report/metrics-input.ts'

const LITTLE: MetricsInput = { version: '1.2.3', trusted: [], revoked: [], cycles: {} }

/** The samples alone, by name and labels. */
async function samples(input: MetricsInput): Promise<Record<string, string>> {
  const lines = (await renderMetrics(input)).split('\n').filter(line => /^[a-z]/.test(line))
  return Object.fromEntries(lines.map(line => line.split(/ (?=\S+$)/)))
}

test('tells all that is known, in base units', async () => {
  const key = { type: 'ssh-ed25519', fingerprint: 'SHA256:abc', comment: 'ca 2026' }
  expect(
    await samples({
      version: '1.2.3',
      trusted: [key, { ...key, fingerprint: 'SHA256:def', adopted: '/etc/ca.pub' }],
      revoked: [{ ...key, fingerprint: 'SHA256:bad' }],
      effective: true,
      contested: false,
      serial: 42,
      issued: new Date(1_000_000_000_000),
      expires: new Date(2_000_000_000_000),
      accepted: new Date(1_000_000_001_000),
      lastSuccess: new Date(1_000_000_002_500),
      lastCycle: new Date(1_000_000_003_000),
      cycles: { applied: 2, unchanged: 400, invented: 7 },
      restarts: 3,
      restartDue: true,
      driftRepairs: 1,
      clockSkewSeconds: -2,
    }),
  ).toEqual({
    'pomerium_host_agent_build_info{version="1.2.3"}': '1',
    'pomerium_host_agent_trusted_key_info{fingerprint="SHA256:abc",type="ssh-ed25519",comment="ca 2026"}':
      '1',
    'pomerium_host_agent_trusted_key_info{fingerprint="SHA256:def",type="ssh-ed25519",comment="ca 2026",adopted="/etc/ca.pub"}':
      '1',
    pomerium_host_agent_trusted_keys: '2',
    'pomerium_host_agent_revoked_key_info{fingerprint="SHA256:bad",type="ssh-ed25519",comment="ca 2026"}':
      '1',
    pomerium_host_agent_revoked_keys: '1',
    pomerium_host_agent_trust_effective: '1',
    pomerium_host_agent_contested: '0',
    pomerium_host_agent_bundle_serial: '42',
    pomerium_host_agent_bundle_issued_timestamp_seconds: '1000000000',
    pomerium_host_agent_bundle_expiry_timestamp_seconds: '2000000000',
    pomerium_host_agent_bundle_accepted_timestamp_seconds: '1000000001',
    pomerium_host_agent_last_success_timestamp_seconds: '1000000002.5',
    pomerium_host_agent_last_cycle_timestamp_seconds: '1000000003',
    'pomerium_host_agent_cycles_total{outcome="unchanged"}': '400',
    'pomerium_host_agent_cycles_total{outcome="applied"}': '2',
    'pomerium_host_agent_cycles_total{outcome="source-unavailable"}': '0',
    'pomerium_host_agent_cycles_total{outcome="refused"}': '0',
    'pomerium_host_agent_cycles_total{outcome="host-refused"}': '0',
    'pomerium_host_agent_cycles_total{outcome="rolled-back"}': '0',
    'pomerium_host_agent_cycles_total{outcome="rollback-failed"}': '0',
    pomerium_host_agent_sshd_restarts_total: '3',
    pomerium_host_agent_sshd_restart_due: '1',
    pomerium_host_agent_drift_repairs_total: '1',
    pomerium_host_agent_clock_skew_seconds: '-2',
  })
})

test('leaves out what is not known, and tells 0 where that is known', async () => {
  const little = await samples(LITTLE)
  expect(Object.keys(little).filter(name => !name.includes('cycles_total'))).toEqual([
    'pomerium_host_agent_build_info{version="1.2.3"}',
    'pomerium_host_agent_trusted_keys',
    'pomerium_host_agent_revoked_keys',
  ])
  expect(
    await samples({ ...LITTLE, effective: false, restarts: 0, clockSkewSeconds: 0 }),
  ).toMatchObject({
    pomerium_host_agent_trust_effective: '0',
    pomerium_host_agent_sshd_restarts_total: '0',
    pomerium_host_agent_clock_skew_seconds: '0',
  })
})

test('escapes labels as the text format asks', async () => {
  const comment = 'a "b" \\n \n é'
  const text = await renderMetrics({
    ...LITTLE,
    trusted: [{ type: 'ssh-rsa', fingerprint: 'SHA256:x', comment }],
  })
  expect(text).toContain('comment="a \\"b\\" \\\\n \\n é"} 1\n')
})

test('each name has its help and its type once, and the text ends with a newline', async () => {
  const text = await renderMetrics({ ...LITTLE, serial: 1, restarts: 2 })
  expect(text.endsWith('\n')).toBe(true)
  const described = (what: string) =>
    [...text.matchAll(new RegExp(`^# ${what} (\\S+) `, 'gm'))].map(([, name]) => name)
  expect(described('HELP')).toEqual(described('TYPE'))
  expect(new Set(described('HELP')).size).toBe(described('HELP').length)
  for (const [, name, type] of text.matchAll(/^# TYPE (\S+) (\S+)/gm)) {
    expect(name?.endsWith('_total')).toBe(type === 'counter')
  }
})

test('one rendering leaves nothing for the next', async () => {
  expect(await renderMetrics({ ...LITTLE, serial: 1 })).toContain('bundle_serial')
  expect(await renderMetrics(LITTLE)).not.toContain('bundle_serial')
})
