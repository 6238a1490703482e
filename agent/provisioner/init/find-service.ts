import type { SshService } from '../sshd/ssh-service.ts'
import { runningInits } from './find-init.ts'
import type { ServiceHost } from './init.ts'
import { openRestartCommand } from './operators-command.ts'
import { openUnmanaged } from './unmanaged.ts'

/**
 * sshd's service on this host. The operator's command wins; else the first of the inits that run which
 * has sshd among its services.
 */
export function findService(host: ServiceHost, restartCommand?: readonly string[]): SshService {
  if (restartCommand !== undefined && restartCommand.length > 0) {
    return openRestartCommand(restartCommand, host)
  }
  for (const init of runningInits(host)) {
    const service = init.openSshd(host)
    if (service !== undefined) return service
  }
  return openUnmanaged(host.processes, host.found)
}
