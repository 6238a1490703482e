// A network between booted hosts and the outside machine: a hub in a namespace of its own, with a
// cable to each host.

import { spawn } from 'node:child_process'
import { readlinkSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { execa } from 'execa'
import { type Running, spawnInNetwork } from './exec.ts'
import type { Host } from './host.ts'
import { waitFor } from './wait-for.ts'

export interface Network extends AsyncDisposable {
  /** Where programs of the outside machine listen for the hosts. */
  readonly address: string
  /** Plugs a host in, and returns its address. Every host can reach the hub and the others. */
  connect(host: Host): Promise<string>
  /** Pulls the cable, or puts it back. */
  cable(host: Host, state: 'up' | 'down'): Promise<void>
  /** Starts a program of the outside machine in the hub. */
  run(argv: readonly string[]): Running
}

export async function makeNetwork(): Promise<Network> {
  const hold = ['--pdeathsig', 'KILL', 'unshare', '--net', 'sleep', 'infinity']
  const hub = spawn('setpriv', hold, { stdio: 'ignore' })
  const pid = hub.pid ?? 0
  const ours = readlinkSync('/proc/self/ns/net')
  await waitFor('the hub', () => readlinkSync(`/proc/${pid}/ns/net`) !== ours)
  const inHub = (line: string) => execa('nsenter', ['-t', String(pid), '--net', 'sh', '-ec', line])
  const address = '10.98.0.1'
  await inHub(
    `ip link set lo up; ip address add ${address}/32 dev lo; echo 1 >/proc/sys/net/ipv4/ip_forward`,
  )
  const cables = new Map<string, number>()
  const running = new Set<Running>()
  return {
    address,
    async connect(host) {
      // One that has booted again gets its cable and its address back.
      const at = cables.get(host.name) ?? cables.size + 1
      cables.set(host.name, at)
      await inHub(
        `ip link delete c${at} 2>/dev/null || true; ip link add c${at} type veth peer name eth0 netns ${host.pid}; ip address add 10.99.${at}.1/24 dev c${at}; ip link set c${at} up`,
      )
      const inside = `ip address add 10.99.${at}.2/24 dev eth0; ip link set eth0 up; ip route add default via 10.99.${at}.1`
      await execa('nsenter', ['-t', String(host.pid), '--net', 'sh', '-ec', inside])
      return `10.99.${at}.2`
    },
    async cable(host, state) {
      await inHub(`ip link set c${cables.get(host.name)} ${state}`)
    },
    run(argv) {
      const child = spawnInNetwork(pid, argv)
      running.add(child)
      child.done.finally(() => running.delete(child)).catch(() => {})
      return child
    },
    async [Symbol.asyncDispose]() {
      for (const child of running) child.kill()
      await Promise.allSettled([...running].map(child => child.done))
      hub.kill('SIGKILL')
    },
  }
}

const INSTANCES = '/proc/sys/fs/inotify/max_user_instances'

/** Room for many hosts: they share root's inotify instances (inotify(7)), and each takes some five. */
export async function makeRoom(instances: number): Promise<AsyncDisposable> {
  const before = await readFile(INSTANCES, 'utf8')
  if (Number(before) < instances) await writeFile(INSTANCES, String(instances))
  return { [Symbol.asyncDispose]: () => writeFile(INSTANCES, before) }
}
