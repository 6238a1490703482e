// A booted host on which the program is installed with its units, as the installer leaves it.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { BOOT_SERVICE, startableNow } from '../../../agent/core/services/unit-drop-ins.ts'
import type { Suite } from '../harness/base.ts'
import type { HostFiles } from '../harness/host-files.ts'
import { type AgentHost, bootAgentHost } from './agent-host.ts'

const UNITS = join(import.meta.dirname, '../../../systemd')

export const OUR_UNITS = [
  'pomerium-host-agent-provisioner.socket',
  'pomerium-host-agent-watch.path',
  'pomerium-host-agent-repair.path',
  'pomerium-host-agent.timer',
]

/** Boots a host and starts our units. Nothing of ours is enabled but the sockets, timer and path. */
export async function bootInstalledHost(
  options: Parameters<typeof bootAgentHost>[0] & { units?: readonly string[] },
): Promise<AgentHost> {
  const { units = OUR_UNITS } = options
  const it = await bootAgentHost({
    ...options,
    prepare: async files => {
      await layUnits(files, options.suite)
      await options.prepare?.(files)
    },
  })
  await it.host.exec('systemd-sysusers && systemd-tmpfiles --create pomerium-host-agent.conf')
  await it.host.exec('systemctl daemon-reload')
  await it.host.exec(['systemctl', 'enable', '--quiet', BOOT_SERVICE])
  const now = startableNow(units)
  await it.host.exec(['systemctl', 'enable', '--now', '--quiet', ...now])
  return it
}

const SYSTEMD: Record<Suite, number> = { bullseye: 247, bookworm: 252, trixie: 257 }

/** Lays our units, users and folders where the installer has them. */
export async function layUnits(files: HostFiles, suite: Suite): Promise<void> {
  for (const name of readdirSync(UNITS, { recursive: true, encoding: 'utf8' })) {
    const kind = /\.(sysusers|tmpfiles)\.conf$/.exec(name)?.[1]
    // As the installer: what an older systemd does not know is not laid.
    if (Number(/systemd-(\d+)\.conf$/.exec(name)?.[1] ?? 0) > SYSTEMD[suite]) continue
    if (kind !== undefined) {
      await files.write(
        `/usr/lib/${kind}.d/pomerium-host-agent.conf`,
        readFileSync(join(UNITS, name)),
      )
    } else if (name.includes('.')) {
      const path = join(UNITS, name)
      if (!name.endsWith('.d')) await files.write(`/etc/systemd/system/${name}`, readFileSync(path))
    }
  }
}

/**
 * Has a daemon that serves no webhook look once at the source, from its start to its end. One that is at it
 * already, since the timer woke it, may have looked before.
 */
export async function poll({ host }: Pick<AgentHost, 'host'>): Promise<void> {
  const service = 'pomerium-host-agent.service'
  const rest = () =>
    host.waitFor('the daemon to leave', async () => {
      const { ActiveState } = await host.unitProperties(service, ['ActiveState'])
      return ActiveState === 'inactive'
    })
  await rest()
  await host.exec(['systemctl', 'start', service])
  await rest()
}

/** The processes of ours on the host; none while it sleeps. */
export async function ourProcesses({ host }: AgentHost): Promise<string[]> {
  const { stdout } = await host.exec('ps -eo args= | grep [p]omerium-host-agent', {
    allowFail: true,
  })
  return stdout.split('\n').filter(line => line !== '')
}
