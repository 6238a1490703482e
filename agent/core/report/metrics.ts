import Counter from 'prom-client/lib/counter.js'
import Gauge from 'prom-client/lib/gauge.js'
import Registry from 'prom-client/lib/registry.js'
import { own } from '../basics/own-property.ts'
import { optional } from '../basics/when-defined.ts'
import { OUTCOME_NAMES } from '../outcome/outcome-rows.ts'
import type { MetricsInput } from './metrics-input.ts'

const PREFIX = 'pomerium_host_agent_'

/**
 * Renders the text format 0.0.4 of Prometheus, for `/metrics` and for a textfile. Ages are told as the
 * time of what is aging, as Prometheus' "Instrumentation" asks: a textfile is read long after it was
 * written. A module to load late: the library under it takes 3 ms.
 */
export async function renderMetrics(input: MetricsInput): Promise<string> {
  const registry = new Registry()
  const registers = [registry]

  const gauge = (name: string, help: string, value: number | undefined) => {
    if (value !== undefined) new Gauge({ name: PREFIX + name, help, registers }).set(value)
  }
  const flag = (name: string, help: string, value: boolean | undefined) =>
    gauge(name, help, value === undefined ? undefined : Number(value))
  const at = (name: string, help: string, date: Date | undefined) =>
    gauge(`${name}_timestamp_seconds`, help, date && date.getTime() / 1000)
  // One of each; what has none is not named, as an exporter that reads us would not name it.
  const infos = (
    name: string,
    help: string,
    labelNames: string[],
    all: readonly Record<string, string>[],
  ) => {
    if (all.length === 0) return
    const info = new Gauge({ name: PREFIX + name, help, labelNames, registers })
    for (const labels of all) info.set(labels, 1)
  }
  const count = (name: string, help: string, value: number | undefined) => {
    if (value !== undefined) new Counter({ name: PREFIX + name, help, registers }).inc(value)
  }

  new Gauge({
    name: `${PREFIX}build_info`,
    help: 'The version that runs.',
    labelNames: ['version'],
    registers,
  }).set({ version: input.version }, 1)

  // Without the label, it is a bundle's.
  infos(
    'trusted_key_info',
    'A CA key that this host trusts; adopted: from that file of another owner.',
    ['fingerprint', 'type', 'comment', 'adopted'],
    input.trusted.map(({ fingerprint, type, comment, adopted }) => ({
      ...{ fingerprint, type, comment },
      ...optional('adopted', adopted),
    })),
  )
  gauge('trusted_keys', 'How many CA keys this host trusts.', input.trusted.length)
  infos(
    'revoked_key_info',
    'A CA key that is revoked on this host, whoever names it.',
    ['fingerprint', 'type', 'comment'],
    input.revoked.map(({ fingerprint, type, comment }) => ({ fingerprint, type, comment })),
  )
  gauge('revoked_keys', 'How many CA keys are revoked on this host.', input.revoked.length)
  flag('trust_effective', 'Whether sshd goes by these keys: 1 where it does.', input.effective)
  at('trust_seen', 'When sshd was last asked whether it does.', input.effectiveSeen)
  flag('sshd_listening', 'Whether anything listens where sshd did: 1.', input.sshdListens)
  flag('contested', 'Whether somebody keeps changing a file of ours: 1.', input.contested)

  gauge('bundle_serial', 'Serial of the bundle in force.', input.serial)
  at('bundle_issued', 'When the bundle in force was issued.', input.issued)
  at('bundle_expiry', 'When the bundle in force expires.', input.expires)
  at('bundle_accepted', 'When this host took the bundle in force.', input.accepted)

  at('last_success', 'When the source last gave a bundle, new or known.', input.lastSuccess)
  at('last_cycle', 'When this host last looked.', input.lastCycle)
  const cycles = new Counter({
    name: `${PREFIX}cycles_total`,
    help: 'Cycles, by how they ended.',
    labelNames: ['outcome'],
    registers,
  })
  // From 0 on, so that the first of a kind is seen as an increase; and no other, whatever the notes hold:
  // root writes a textfile of what a stranger may have written there.
  for (const outcome of OUTCOME_NAMES) {
    cycles.inc({ outcome }, own(input.cycles, outcome) ?? 0)
  }
  count('sshd_restarts_total', 'Restarts of sshd by this agent.', input.restarts)
  flag('sshd_restart_due', 'Whether a restart of sshd was put off: 1.', input.restartDue)
  count(
    'drift_repairs_total',
    'Files put right after somebody else had changed them.',
    input.driftRepairs,
  )
  gauge(
    'clock_skew_seconds',
    'The clock of the source less that of this host.',
    input.clockSkewSeconds,
  )
  return registry.metrics()
}
