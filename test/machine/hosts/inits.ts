// Hosts with another init than systemd, all of them bookworm.

import type { Host } from '../harness/host.ts'

export const INITS = [
  {
    init: 'sysvinit',
    packages: ['sysvinit-core'],
    argv: ['/usr/sbin/sshd'],
    stop: 'service ssh stop',
  },
  {
    init: 'OpenRC',
    packages: ['openrc', 'sysvinit-core'],
    argv: ['/usr/sbin/sshd'],
    stop: 'rc-service ssh stop',
  },
  {
    init: 'runit',
    packages: ['runit', 'runit-init'],
    argv: ['/usr/sbin/sshd', '-D', '-e'],
    stop: 'sv stop ssh',
  },
]

/** When such a host counts as booted. */
export async function sshdListens(host: Host): Promise<boolean> {
  const line = 'pgrep -x sshd && ss -Hltn sport = :22 | grep .'
  return (await host.exec(line, { allowFail: true })).code === 0
}
