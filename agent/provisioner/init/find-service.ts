import type { SshService } from '../sshd/ssh-service.ts'
import type { CommandHost } from './commanded-service.ts'
import { openOpenRc } from './openrc.ts'
import { openRestartCommand } from './restart-command.ts'
import { openRunit } from './runit.ts'
import { openSystemd } from './systemd/sshd-unit.ts'
import { openSysvinit } from './sysvinit.ts'
import { openUnmanaged } from './unmanaged.ts'

export interface ServiceHost extends CommandHost {
  /** Whether something stands at a path of the host. */
  exists(path: string): boolean
}

const NAMES = ['ssh', 'sshd'] as const

/**
 * The service of this host. The operator's command wins; else the init that *runs* decides, for the
 * scripts and units of others lie about: openssh-server brings all three of Debian's.
 */
export function findService(host: ServiceHost, restartCommand?: readonly string[]): SshService {
  const { exists, processes } = host
  if (restartCommand !== undefined && restartCommand.length > 0) {
    return openRestartCommand(restartCommand, host)
  }
  // sd_booted(3).
  if (exists('/run/systemd/system')) return openSystemd(host)
  const init = (processes.read(1, 'comm') ?? '').trim()
  const script = NAMES.find(name => exists(`/etc/init.d/${name}`))
  // openrc(8) keeps its runlevel there, under its own init and under sysvinit's.
  if (exists('/run/openrc/softlevel') && script !== undefined) return openOpenRc(script, host)
  const folder = ['/etc/service', '/var/service', '/service']
  const supervised = NAMES.find(name => folder.some(path => exists(`${path}/${name}`)))
  if (init === 'runit' && supervised !== undefined) return openRunit(supervised, host)
  // In a container without an init the script would kill process 1, which is sshd.
  if (init === 'init' && exists('/run/initctl') && script !== undefined) {
    return openSysvinit(script, host)
  }
  return openUnmanaged(processes, host.found)
}
