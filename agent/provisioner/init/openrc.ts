import type { SshService } from '../sshd/ssh-service.ts'
import { type CommandHost, commandedService } from './commanded-service.ts'

/**
 * sshd under OpenRC. A service whose process has died counts as started; `zap` makes OpenRC forget
 * that (openrc-run(8)).
 */
export function openOpenRc(name: string, host: CommandHost): SshService {
  const command = (verb: string) => ['rc-service', name, verb]
  const rescue = [command('zap'), command('start')]
  return commandedService({ name, restart: command('restart'), rescue }, host)
}
