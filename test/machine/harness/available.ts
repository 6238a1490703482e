// Whether this machine can boot hosts.

import { execFileSync } from 'node:child_process'

export type Tier = { ok: true } | { ok: false; why: string }

const packages = {
  debootstrap: 'debootstrap',
  flock: 'util-linux',
  ip: 'iproute2',
  nsenter: 'util-linux',
  setpriv: 'util-linux',
  unshare: 'util-linux',
  ssh: 'openssh-client',
  'ssh-keygen': 'openssh-client',
  'systemd-nspawn': 'systemd-container',
}

/** Says plainly what is missing, and how to get it. Nothing stays of what it tries. */
export function machineTier(): Tier {
  if (process.platform !== 'linux') return { ok: false, why: 'booting hosts needs Linux' }
  if (process.getuid?.() !== 0) return { ok: false, why: 'booting hosts needs root' }
  const tools = hasTools(packages)
  if (!tools.ok) return tools
  const overlay = 'mkdir /run/l /run/u /run/w /run/m && cd /run && mount -t overlay overlay'
  const cgroup = '/sys/fs/cgroup'
  const mounts = {
    'a mount namespace with a tmpfs': ':',
    'an overlay on a tmpfs': `${overlay} -o lowerdir=l,upperdir=u,workdir=w m`,
    'cgroup version 2': `test -e ${cgroup}/cgroup.controllers || mount -t cgroup2 none ${cgroup}`,
  }
  for (const [what, command] of Object.entries(mounts)) {
    if (!succeeds('exec unshare --mount sh -c "mount -t tmpfs tmpfs /run && $0"', command)) {
      return {
        ok: false,
        why: `the kernel or the container around it does not let us mount: ${what}`,
      }
    }
  }
  return { ok: true }
}

/** Whether each tool is here, and the packages that those come in which are not. */
export function hasTools(packages: Readonly<Record<string, string>>): Tier {
  const missing = Object.entries(packages).filter(([tool]) => !succeeds('command -v "$0"', tool))
  if (missing.length === 0) return { ok: true }
  const tools = missing.map(([tool]) => tool).join(', ')
  const wanted = [...new Set(missing.map(([, name]) => name))].join(' ')
  return { ok: false, why: `no ${tools}; try: apt-get install ${wanted}` }
}

function succeeds(script: string, argument: string): boolean {
  try {
    execFileSync('sh', ['-c', script, argument], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
