import { parseListening } from '../../core/network/listening-ports.ts'
import type { EffectiveConfig } from '../../core/sshd-config/effective-config.ts'
import type { ProcessTable } from '../processes/process-table.ts'

/**
 * The ports that something listens on in the network namespace of process `pid`. Which process
 * holds a socket is to be seen only in `/proc/PID/fd`, which needs CAP_SYS_PTRACE; the provisioner
 * lacks it. That it is sshd is proved by its own title instead, see `parseListener`. Where all of
 * `wanted` listen by IPv4, IPv6 is not looked at: the kernel takes some 4 ms for each table.
 */
export function listeningPorts(
  processes: ProcessTable,
  pid: number,
  wanted: readonly number[] = [],
): number[] {
  const ports = parseListening(processes.read(pid, 'net/tcp') ?? '')
  if (wanted.length > 0 && wanted.every(port => ports.includes(port))) return ports
  const more = parseListening(processes.read(pid, 'net/tcp6') ?? '')
  return [...new Set([...ports, ...more])]
}

/** The ports that sshd means to listen on: the `listenaddress` lines of `sshd -T`. */
export function configuredPorts(effective: EffectiveConfig): number[] {
  const addresses = effective.get('listenaddress') ?? []
  const ports = addresses.flatMap(address => /:(\d+)(?: rdomain .*)?$/.exec(address)?.[1] ?? [])
  return [...new Set(ports.map(Number))]
}
