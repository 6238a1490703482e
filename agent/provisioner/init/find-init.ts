import { isThere, realFileSystem } from '../files/file-system.ts'
import { openProcessTable } from '../processes/process-table.ts'
import type { ServiceHost } from './find-service.ts'

export type Init = 'systemd' | 'openrc' | 'sysvinit' | 'runit'

/**
 * The init whose services are to be laid: the one that runs, else (in an image, a chroot) the one
 * that is installed. `running`: whether services can be started now.
 */
export function findInit({ exists, processes }: Pick<ServiceHost, 'exists' | 'processes'>): {
  init: Init | undefined
  running: boolean
} {
  // sd_booted(3).
  if (exists('/run/systemd/system')) return { init: 'systemd', running: true }
  if (exists('/run/openrc/softlevel')) return { init: 'openrc', running: true }
  const comm = (processes.read(1, 'comm') ?? '').trim()
  if (comm === 'runit') return { init: 'runit', running: true }
  if (comm === 'init' && exists('/run/initctl')) return { init: 'sysvinit', running: true }
  return { init: INSTALLED.find(([, mark]) => exists(mark))?.[0], running: false }
}

/** The same, of the host that this process runs on. */
export function findInitHere() {
  const exists = (path: string) => isThere(realFileSystem, path)
  return findInit({ exists, processes: openProcessTable() })
}

const INSTALLED: [Init, string][] = [
  ['systemd', '/lib/systemd/systemd'],
  ['systemd', '/usr/lib/systemd/systemd'],
  ['openrc', '/sbin/openrc'],
  ['runit', '/sbin/runit-init'],
  ['sysvinit', '/sbin/init'],
]
