import { type CommandHost, commandedService } from './commanded-service.ts'
import type { SshService } from './ssh-service.ts'

/** sshd under whatever the operator's `sshd.restart_command` talks to. */
export function openRestartCommand(argv: readonly string[], host: CommandHost): SshService {
  return commandedService({ name: 'sshd', restart: argv, any: true }, host)
}
