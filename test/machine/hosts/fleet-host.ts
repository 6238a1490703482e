// An installed host in a network, whose webhook listens there and whose source is there too.

import { inject } from 'vitest'
import { type Ca, makeCa } from '../../sshd/ssh-ca.ts'
import { type LoginResult, sshLogin } from '../../sshd/ssh-client.ts'
import { bootHost, type Host, type HostOptions } from '../harness/host.ts'
import type { Network } from '../harness/network.ts'
import { CA_FILE } from './agent-host.ts'
import { layUnits, OUR_UNITS } from './installed-host.ts'

const CREDENTIALS = '/etc/pomerium/credentials'
export const SECRET_FILE = `${CREDENTIALS}/webhook-secret`
const ROOTS = '/etc/pomerium/control-plane-ca.pem'
const SYSTEMD = '/etc/systemd/system'

export interface FleetHost {
  host: Host
  address: string
  /** The CA file as it is now; undefined where there is none. */
  caFile(): Promise<string | undefined>
  /** Asks the source, as the timer has it done, and waits until this CA is trusted. */
  poll(ca: Ca): Promise<void>
  login(ca: Ca, command?: string): Promise<LoginResult>
}

export interface FleetOptions extends Pick<HostOptions, 'suite' | 'prepare'> {
  network: Network
  /** The URL of the bundle, and the CA of its certificate in PEM. */
  source: { url: string; ca: string }
  secret: string
  /** `source.poll_interval`, in seconds; the usual one if not given. */
  pollSeconds?: number
  /** More of the config file. */
  config?: string
  /** Without its timer it asks the source when the first webhook comes. */
  isPolling?: boolean
  /** The units that boot starts; those of a host that sleeps and hears webhooks if not given. */
  units?: readonly string[]
}

export async function bootFleetHost(options: FleetOptions): Promise<FleetHost> {
  const { network, source, secret } = options
  const host = await bootHost({
    suite: options.suite,
    layers: [inject('productLayer')],
    async prepare(files) {
      const config = [
        `source:\n  url: ${source.url}\n  ca_file: ${ROOTS}`,
        ...(options.pollSeconds === undefined ? [] : [`  poll_interval: ${options.pollSeconds}s`]),
        `webhook:\n  listen: 0.0.0.0:9444\n  secret_file: ${SECRET_FILE}\n`,
        options.config ?? '',
      ]
      await files.write('/etc/pomerium/host-agent.yaml', config.join('\n'), { mode: 0o640 })
      await files.write(ROOTS, source.ca)
      await files.write(SECRET_FILE, `${secret}\n`, { mode: 0o600 })
      await layUnits(files, options.suite)
      await files.write(
        `${SYSTEMD}/pomerium-host-agent-webhook.service.d/credentials.conf`,
        `[Service]\nLoadCredential=webhook-secret:${SECRET_FILE}\n`,
      )
      await options.prepare?.(files)
    },
  })
  const address = await network.connect(host)
  const asked = options.isPolling ?? true
  const ours = OUR_UNITS.filter(unit => asked || unit !== 'pomerium-host-agent.timer')
  const units = (options.units ?? [...ours, 'pomerium-host-agent-webhook.socket']).join(' ')
  await host.exec(
    `systemd-sysusers && systemd-tmpfiles --create pomerium-host-agent.conf && systemctl daemon-reload && systemctl enable --now --quiet ${units}`,
  )
  return {
    host,
    address,
    caFile: () => host.read(CA_FILE).catch(() => undefined),
    async poll(ca) {
      await host.exec('systemctl start pomerium-host-agent.service')
      const trusted = async () => (await host.read(CA_FILE).catch(() => '')).includes(ca.publicKey)
      await host.waitFor('the CA', trusted, 60_000)
    },
    async login(ca, command) {
      const credentials = await ca.issue()
      const prefix = ['nsenter', '-t', String(host.pid), '--net']
      const to = { user: 'alice', host: '127.0.0.1', port: 22, credentials, prefix }
      return sshLogin(to, command)
    },
  }
}

/** The CA before and the CA after. */
export async function makeCas(): Promise<[before: Ca, after: Ca]> {
  return Promise.all([makeCa('ed25519', 'before'), makeCa('ed25519', 'after')])
}
