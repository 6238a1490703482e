// Hosts with another init than systemd, all of them bookworm.

import type { Host } from '../harness/host.ts'

export const INITS = [
  {
    init: 'sysvinit',
    packages: ['sysvinit-core'],
    argv: ['/usr/sbin/sshd'],
    control: (name: string, verb: string) => `/etc/init.d/${name} ${verb}`,
  },
  {
    init: 'OpenRC',
    packages: ['openrc', 'sysvinit-core'],
    argv: ['/usr/sbin/sshd'],
    control: (name: string, verb: string) => `rc-service ${name} ${verb}`,
  },
  {
    init: 'runit',
    packages: ['runit', 'runit-init'],
    argv: ['/usr/sbin/sshd', '-D', '-e'],
    control: (name: string, verb: string) => `sv ${verb} ${name}`,
  },
]

/** When such a host counts as booted. */
export async function sshdListens(host: Host): Promise<boolean> {
  const line = 'pgrep -x sshd && ss -Hltn sport = :22 | grep .'
  return (await host.exec(line, { allowFail: true })).code === 0
}
