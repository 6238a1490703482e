import type { SshService } from '../sshd/ssh-service.ts'
import { type CommandHost, commandedService } from './commanded-service.ts'

/** sshd under whatever the operator's `sshd.restart_command` talks to. */
export function openRestartCommand(argv: readonly string[], host: CommandHost): SshService {
  return commandedService({ name: 'sshd', restart: argv, any: true }, host)
}
