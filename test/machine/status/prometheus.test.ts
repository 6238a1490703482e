// A real Prometheus and a real node exporter, as Debian packages them, scrape a host of ours.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { describeTier } from '../../sshd/describe-tier.ts'
import { type Ca, makeCa } from '../../sshd/ssh-ca.ts'
import { machineTier } from '../harness/available.ts'
import { suitesFor } from '../harness/share.ts'
import { ourProcesses } from '../hosts/installed-host.ts'
import { bootWebhookHost, type WebhookHost } from '../hosts/webhook-host.ts'

const TEXTFILE = '/var/lib/prometheus/node-exporter/pomerium_host_agent.prom'
const PROMETHEUS = `
global: { scrape_interval: 2s }
scrape_configs:
  - { job_name: webhook, static_configs: [{ targets: ['127.0.0.1:9444'] }] }
  - { job_name: node, static_configs: [{ targets: ['127.0.0.1:9100'] }] }
`

describeTier('scraped by Prometheus, on a booted host', machineTier(), () => {
  describe.each(suitesFor({ slice: ['bookworm'] }))('%s', suite => {
    let it: WebhookHost
    let ca: Ca
    beforeAll(async () => {
      ca = await makeCa()
      it = await bootWebhookHost({
        suite,
        packages: ['prometheus', 'prometheus-node-exporter'],
        config: `metrics:\n  textfile: ${TEXTFILE}\n`,
        prepare: files => files.write('/etc/prometheus/prometheus.yml', PROMETHEUS),
      })
      const soon = new Date(Date.now() + 86_400_000).toISOString()
      await it.publish('# serial: 7', `# expires: ${soon}`, ca.publicKey)
      await it.host.exec('systemctl start pomerium-host-agent.service')
      await it.host.waitFor('the textfile', () => it.host.exists(TEXTFILE), 20_000)
    })
    afterAll(async () => {
      await it?.stop()
      await ca?.[Symbol.asyncDispose]()
    })

    /** The value of the one series that a query gives; undefined while there is none. */
    const query = async (promql: string): Promise<number | undefined> => {
      const curl = ['curl', '-sf', '-G', '--data-urlencode', `query=${promql}`]
      const url = 'http://127.0.0.1:9090/api/v1/query'
      const { stdout } = await it.host.exec([...curl, url], { allowFail: true })
      if (stdout === '') return undefined
      const { result } = JSON.parse(stdout).data as { result: { value: [number, string] }[] }
      expect(result.length).toBeLessThanOrEqual(1)
      return result[0] === undefined ? undefined : Number(result[0].value[1])
    }
    const scraped = (promql: string, value: number) =>
      it.host.waitFor(promql, async () => (await query(promql)) === value, 60_000)

    test.each(['webhook', 'node'])('what we tell arrives by way of the %s', async job => {
      const name = (metric: string, labels = '') =>
        `pomerium_host_agent_${metric}{job="${job}"${labels}}`
      await scraped(name('trusted_key_info', `,fingerprint="${ca.fingerprint}"`), 1)
      await scraped(name('trust_effective'), 1)
      await scraped(name('bundle_serial'), 7)
      await scraped(name('trusted_keys'), 1)
      await scraped(`${name('bundle_expiry_timestamp_seconds')} - time() > bool 80000`, 1)
      await scraped(`time() - ${name('last_success_timestamp_seconds')} < bool 300`, 1)
      await scraped(`${name('sshd_restarts_total')} > bool 0`, 1)
      await scraped(`${name('cycles_total', ',outcome="applied"')} > bool 0`, 1)
    })

    test('both ways tell the same of what they know alike', async () => {
      const families = async (command: string) => {
        const { stdout } = await it.host.exec(command)
        return stdout
          .split('\n')
          .filter(line => line.startsWith('# TYPE pomerium'))
          .sort()
      }
      const direct = await families('curl -sf http://127.0.0.1:9444/metrics')
      expect(direct.length).toBeGreaterThan(10)
      expect(await families(`cat ${TEXTFILE}`)).toEqual(direct)
      expect(await families('curl -sf http://127.0.0.1:9100/metrics')).toEqual(direct)
    })

    test('promtool finds nothing to say of either', async () => {
      for (const text of ['curl -sf http://127.0.0.1:9444/metrics', `cat ${TEXTFILE}`]) {
        await it.host.exec(`${text} >/tmp/metrics`)
        const check = await it.host.exec('promtool check metrics </tmp/metrics 2>&1')
        expect(check).toMatchObject({ code: 0, stdout: '' })
      }
    })

    test('a poll that has nothing new is told in the textfile too', async () => {
      const counted = async () =>
        Number(/outcome="unchanged"\} (\d+)/.exec(await it.host.read(TEXTFILE))?.[1])
      const before = await counted()
      await it.host.exec('systemctl stop prometheus.service')
      await it.host.exec('systemctl start pomerium-host-agent.service')
      await it.host.waitFor('the count', async () => (await counted()) === before + 1)
    })

    test('a scrape wakes us, and does not keep us awake', async () => {
      const asleep = async () => (await ourProcesses(it)).every(line => / provision$/.test(line))
      await it.host.waitFor('sleep', asleep, 20_000)
      await it.host.exec('curl -sf -o /dev/null http://127.0.0.1:9444/metrics')
      await it.host.waitFor('sleep again', asleep, 8_000)
    })

    test('no folder for the textfile: a warning in the status, and the trust stands', async () => {
      await it.host.exec(
        'systemctl stop prometheus-node-exporter; rm -r /var/lib/prometheus/node-exporter',
      )
      expect((await it.apply()).code).toBe(0)
      const { stdout } = await it.host.exec(['pomerium-host-agent', 'status'], {
        user: 'alice',
        allowFail: true,
      })
      expect(stdout).toContain('there is no folder /var/lib/prometheus/node-exporter')
    })
  })
})
