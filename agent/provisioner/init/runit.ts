import type { SshService } from '../sshd/ssh-service.ts'
import { type CommandHost, commandedService } from './commanded-service.ts'

/** sshd under runit. `sv restart` also brings up what Debian's `finish` has taken down. */
export function openRunit(name: string, host: CommandHost): SshService {
  return commandedService({ name, restart: ['sv', 'restart', name] }, host)
}
