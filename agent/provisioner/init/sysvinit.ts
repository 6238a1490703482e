import type { SshService } from '../sshd/ssh-service.ts'
import { type CommandHost, commandedService } from './commanded-service.ts'

/** sshd under sysvinit, by its script: service(8) adds nothing, and is not everywhere. */
export function openSysvinit(name: string, host: CommandHost): SshService {
  const script = `/etc/init.d/${name}`
  return commandedService({ name, restart: [script, 'restart'], rescue: [[script, 'start']] }, host)
}
