// What is in memory between rotations, and what of the processor is used, ours and Google's agent.

import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { WebhookHost } from '../machine/hosts/webhook-host.ts'

export interface Idle {
  /** Proportional set size of all the processes, in KiB; proc(5), smaps_rollup. */
  pssKib: number
  /** Milliseconds of the processor a minute. */
  cpuMsPerMinute: number
}

const WATCH_SECONDS = 30
const POLL_MINUTES = 5
const DROP_IN = '/etc/systemd/system/pomerium-host-agent.service.d/resident.conf'
const RESIDENT =
  '[Service]\nExecStart=\nExecStart=/usr/local/bin/pomerium-host-agent run --resident\n'

/** Asleep: nothing, but a poll now and then. */
export async function measureAsleep(it: WebhookHost): Promise<Idle & { pollMs: number }> {
  const { host } = it
  await host.exec('systemctl stop pomerium-host-agent-webhook pomerium-host-agent-provisioner')
  const unit = 'pomerium-host-agent.service'
  // The first look makes the ETag known, the second is the quiet one.
  let cpuMs = 0
  let pollMs = 0
  for (let look = 0; look < 2; look++) {
    await host.exec(['systemctl', 'start', unit])
    const names = [
      'ActiveState',
      'CPUUsageNSec',
      'ExecMainStartTimestampMonotonic',
      'ExecMainExitTimestampMonotonic',
    ] as const
    const shown = await host.waitFor('the end of the look', async () => {
      const now = await host.unitProperties(unit, names)
      return now.ActiveState === 'inactive' && now
    })
    cpuMs = Number(shown.CPUUsageNSec) / 1e6
    pollMs =
      (Number(shown.ExecMainExitTimestampMonotonic) -
        Number(shown.ExecMainStartTimestampMonotonic)) /
      1000
    await host.exec('systemctl stop pomerium-host-agent-provisioner')
  }
  const pssKib = await pssOf(it, ['pomerium-host-agent-webhook', 'pomerium-host-agent-provisioner'])
  return { pssKib, cpuMsPerMinute: cpuMs / POLL_MINUTES, pollMs }
}

export async function measureResident(it: WebhookHost): Promise<Idle> {
  const { host } = it
  await host.exec('systemctl stop pomerium-host-agent-webhook.socket pomerium-host-agent.timer')
  await host.write(DROP_IN, RESIDENT)
  await host.exec('systemctl daemon-reload; systemctl start pomerium-host-agent')
  const idle = await watch(it, ['pomerium-host-agent', 'pomerium-host-agent-provisioner'])
  await host.exec(`systemctl stop pomerium-host-agent; rm ${DROP_IN}; systemctl daemon-reload`)
  return idle
}

/** Google's agent beside a metadata server that has nothing to tell, as on an idle machine of theirs. */
export async function measureGoogle(it: WebhookHost): Promise<Idle> {
  const { host } = it
  await host.exec('ip address add 169.254.169.254/32 dev lo')
  const server = host.inNetwork([process.execPath, join(import.meta.dirname, 'metadata-server.ts')])
  await host.waitFor('the metadata server', async () => {
    return (await host.exec('ss -Hltn sport = :80')).stdout !== ''
  })
  await host.exec('systemctl start google-guest-agent')
  const idle = await watch(it, ['google-guest-agent'])
  await host.exec('systemctl stop google-guest-agent')
  server.kill()
  return idle
}

async function watch(it: WebhookHost, units: string[]): Promise<Idle> {
  // What a start costs is not what idling costs.
  await sleep(5_000)
  const before = await cpuOf(it, units)
  await sleep(WATCH_SECONDS * 1000)
  const used = (await cpuOf(it, units)) - before
  return { pssKib: await pssOf(it, units), cpuMsPerMinute: (used * 60) / WATCH_SECONDS }
}

async function cpuOf({ host }: WebhookHost, units: string[]): Promise<number> {
  const { stdout } = await host.exec(
    units
      .map(unit => `grep ^usage_usec /sys/fs/cgroup/system.slice/${unit}.service/cpu.stat`)
      .join('; '),
    { allowFail: true },
  )
  return sum(stdout.split('\n').map(line => Number(line.split(' ')[1] ?? 0))) / 1000
}

async function pssOf({ host }: WebhookHost, units: string[]): Promise<number> {
  const files = units.map(unit => `/sys/fs/cgroup/system.slice/${unit}.service/cgroup.procs`)
  const { stdout } = await host.exec(
    `for pid in $(cat ${files.join(' ')} 2>/dev/null); do grep ^Pss: /proc/$pid/smaps_rollup; done`,
    { allowFail: true },
  )
  return sum([...stdout.matchAll(/^Pss:\s+(\d+) kB/gm)].map(match => Number(match[1])))
}

const sum = (numbers: number[]) => numbers.reduce((all, each) => all + each, 0)
