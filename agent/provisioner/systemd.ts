import type { ServiceState } from '../core/observation.ts'
import type { CommandResult } from './run-command.ts'
import type { SshService } from './service.ts'

const UNITS = ['ssh.service', 'sshd.service']

/**
 * sshd under systemd: `ssh.service` on Debian and Ubuntu, where `sshd.service` is an alias once
 * enabled, `sshd.service` elsewhere. `Id` is the name behind any alias.
 */
export function openSystemd(run: (argv: readonly string[]) => Promise<CommandResult>): SshService {
  const show = async (unit: string) => {
    const result = await run(['systemctl', 'show', unit, '--property=Id,LoadState,ActiveState'])
    if (result.code !== 0) throw new Error(`systemctl show ${unit} failed: ${result.stderr}`)
    return new Map(result.stdout.split('\n').map(line => splitOnce(line, '=')))
  }
  return {
    async state(): Promise<ServiceState> {
      let stopped: string | undefined
      for (const name of UNITS) {
        const unit = await show(name)
        const id = unit.get('Id') ?? name
        if (unit.get('LoadState') !== 'loaded') continue
        if (unit.get('ActiveState') === 'active') return { kind: 'running', unit: id }
        stopped ??= id
      }
      return stopped === undefined ? { kind: 'unmanaged' } : { kind: 'stopped', unit: stopped }
    },
    async restart(unit) {
      const result = await run(['systemctl', 'restart', unit])
      if (result.code !== 0) throw new Error(`systemctl restart ${unit}: ${result.stderr.trim()}`)
      const state = (await show(unit)).get('ActiveState')
      if (state !== 'active') throw new Error(`${unit} is ${state} after its restart`)
    },
  }
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator)
  return at === -1 ? [text, ''] : [text.slice(0, at), text.slice(at + separator.length)]
}
