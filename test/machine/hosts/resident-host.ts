// Booted hosts on which the daemon stays: as a unit under systemd, and by hand under other inits.

import { unitDropIns, unitsToStart } from '../../../agent/core/services/unit-drop-ins.ts'
import { defaultConfig } from '../../provisioner/temporary-host.ts'
import type { Running } from '../harness/exec.ts'
import type { HostOptions } from '../harness/host.ts'
import { type AgentHost, bootAgentHost } from './agent-host.ts'
import { sshdListens } from './inits.ts'
import { bootInstalledHost } from './installed-host.ts'

// Held requests; and a clock that tells within a test whether it goes.
const CONFIG = '  long_poll: true\n  poll_interval: 10s\n'
const SOCKET = '/run/pomerium-host-agent/provisioner.sock'

/** The daemon is the unit as `configure --resident` leaves it; the watch is systemd's. */
export async function bootResidentHost(options: HostOptions): Promise<AgentHost> {
  return bootInstalledHost({
    ...options,
    config: CONFIG,
    units: unitsToStart(defaultConfig(), { resident: true }).wanted,
    prepare: async files => {
      for (const { path, content } of unitDropIns(defaultConfig(), { resident: true })) {
        if (content !== undefined) await files.write(path, content)
      }
    },
  })
}

export interface HandStarted extends AgentHost {
  readonly provisioner: Running
  /** Starts another one, and returns when it listens. */
  startProvisioner(): Promise<void>
  /** How often the daemon's log has told this so far. */
  told(words: string): number
  /** Asks a process of ours to leave, as an init would; returns once it has, with its exit code. */
  terminate(command: 'provision' | 'run'): Promise<number>
}

/** Starts both wings by hand on a host without systemd, as a service script would. */
export async function bootHandStarted(options: HostOptions): Promise<HandStarted> {
  const it = await bootAgentHost({ ...options, config: CONFIG, booted: sshdListens })
  const user = 'pomerium-host-agent'
  await it.host.exec(`useradd --system --user-group --no-create-home ${user}`)
  await it.host.exec(`chgrp ${user} /etc/pomerium/host-agent.yaml`)
  let provisioner: Running
  const startProvisioner = async () => {
    provisioner = it.host.spawn(['pomerium-host-agent', 'provision'])
    const answers = `test "$(stat -c %a ${SOCKET})" = 660 && ss -Hlx src ${SOCKET} | grep .`
    await it.host.waitFor('the socket', async () => {
      return (await it.host.exec(answers, { allowFail: true })).code === 0
    })
  }
  await startProvisioner()
  const daemon = it.host.spawn(['pomerium-host-agent', 'run', '--resident'], { user })
  // The stream is read as text by whoever started it.
  let log = ''
  daemon.stderr.on('data', (text: string) => {
    log += text
  })
  return {
    ...it,
    get provisioner() {
      return provisioner
    },
    startProvisioner,
    told: words => log.split(words).length - 1,
    async terminate(command) {
      const { stdout } = await it.host.exec(['pgrep', '-of', `pomerium-host-agent.* ${command}`])
      await it.host.exec(['kill', '-TERM', stdout.trim()])
      return (await (command === 'run' ? daemon : provisioner).done).code
    },
  }
}
