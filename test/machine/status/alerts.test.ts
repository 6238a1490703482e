import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { describeTier } from '../../sshd/describe-tier.ts'
import { machineTier } from '../harness/available.ts'
import { bootHost, type Host } from '../harness/host.ts'

const RULES = join(import.meta.dirname, '../../../docs/guide/alerts.yml')
const METRIC = 'pomerium_host_agent_'

// Two hours, a value a minute: in the notation of `promtool test rules`.
const HEALTHY: Record<string, string> = {
  trust_effective: '1x120',
  clock_skew_seconds: '1x120',
  last_success_timestamp_seconds: '0+60x120',
  contested: '0x120',
  bundle_expiry_timestamp_seconds: '99999999x120',
  bundle_serial: '2x120',
  sshd_restart_due: '0x120',
}
const SICK: Record<string, string> = {
  trust_effective: '0x120',
  clock_skew_seconds: '45x120',
  last_success_timestamp_seconds: '0x120',
  contested: '1x120',
  bundle_expiry_timestamp_seconds: '9000x120',
  bundle_serial: '1x120',
  sshd_restart_due: '1x120',
}
const OUTCOMES = ['unchanged', 'refused', 'rollback-failed']

const series = (instance: string, values: Record<string, string>, cycles: string) => [
  ...Object.entries(values).map(([name, text]) => ({
    series: `${METRIC}${name}{instance="${instance}"}`,
    values: text,
  })),
  ...OUTCOMES.map(outcome => ({
    series: `${METRIC}cycles_total{instance="${instance}",outcome="${outcome}"}`,
    values: outcome === 'unchanged' ? '0+1x120' : cycles,
  })),
]

describeTier('docs/guide/alerts.yml, read by Prometheus', machineTier(), () => {
  let host: Host
  let rules: string

  beforeAll(async () => {
    host = await bootHost({ suite: 'bookworm', packages: ['prometheus'] })
    rules = await readFile(RULES, 'utf8')
    await host.write('/root/alerts.yml', rules)
  })
  afterAll(() => host?.stop())

  test('its rules are rules', async () => {
    const { stdout } = await host.exec('promtool check rules /root/alerts.yml')
    expect(stdout).toContain('SUCCESS')
  })

  test('each fires for a sick host, and none for a healthy one', async () => {
    const alerts = [...rules.matchAll(/alert: (\w+)/g)].map(([, name]) => name)
    const expression = {
      expr: 'count by (alertname, instance) (ALERTS{alertstate="firing"})',
      eval_time: '2h',
      exp_samples: alerts.map(name => ({
        labels: `{alertname="${name}", instance="sick"}`,
        value: 1,
      })),
    }
    const input_series = [
      ...series('healthy', HEALTHY, '0x120'),
      ...series('sick', SICK, '0+1x120'),
    ]
    const tests = [{ interval: '1m', input_series, promql_expr_test: [expression] }]
    await host.write('/root/test.yml', stringify({ rule_files: ['alerts.yml'], tests }))
    const { stdout } = await host.exec('cd /root && promtool test rules test.yml')
    expect(stdout).toContain('SUCCESS')
  })
})
