import Counter from 'prom-client/lib/counter.js'
import Gauge from 'prom-client/lib/gauge.js'
import Registry from 'prom-client/lib/registry.js'
import type { Published } from './published.ts'

const PREFIX = 'pomerium_bundle_server_'

/** What a bundle server tells Prometheus of itself. */
export interface ServerMetrics {
  answered(status: number): void
  refused(): void
  render(held: number, connections: number): Promise<string>
}

export function openMetrics(published: Published): ServerMetrics {
  const registry = new Registry()
  const registers = [registry]
  const requests = new Counter({
    name: `${PREFIX}requests_total`,
    help: 'Requests, by the status of the answer.',
    labelNames: ['status'],
    registers,
  })
  const refusals = new Counter({
    name: `${PREFIX}refused_bundles_total`,
    help: 'Times that the file held no bundle, and the last good one was kept.',
    registers,
  })
  const gauge = (name: string, help: string) => new Gauge({ name: PREFIX + name, help, registers })
  const waiting = gauge('held_requests', 'Long polls that wait for a change.')
  const open = gauge('connections', 'Open connections.')
  const keys = gauge('bundle_keys', 'CA keys in the bundle that is served.')
  return {
    answered: status => requests.inc({ status }),
    refused: () => refusals.inc(),
    async render(held, connections) {
      const { serial, expires, keys: served } = published.current().bundle
      waiting.set(held)
      open.set(connections)
      keys.set(served.length)
      // Not told as 0 where there is none.
      for (const [name, help, value] of [
        ['bundle_serial', 'Serial of the bundle that is served.', serial],
        [
          'bundle_expiry_timestamp_seconds',
          'When the bundle that is served expires.',
          expires && expires.getTime() / 1000,
        ],
      ] as const) {
        registry.removeSingleMetric(PREFIX + name)
        if (value !== undefined) gauge(name, help).set(value)
      }
      return registry.metrics()
    },
  }
}
