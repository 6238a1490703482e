import type { CommandResult, Run } from '../../processes/run-command.ts'
import { ServiceError } from '../../sshd/ssh-service.ts'
import { PROPERTIES, parseUnits, type Unit } from './systemd-units.ts'

/** Asks `systemctl show` for these properties of these units; they come in the order asked for. */
export async function showUnits(
  run: Run,
  units: readonly string[],
  properties: readonly string[],
): Promise<Omit<CommandResult, 'stdout'> & { units: Unit[] }> {
  const argv = ['systemctl', 'show', `--property=${properties.join(',')}`, '--', ...units]
  const { stdout, ...result } = await run(argv)
  return { ...result, units: parseUnits(stdout) }
}

/** What a restart of sshd goes by, of these units. Throws `ServiceError` where systemd does not answer. */
export async function showSshd(run: Run, units: readonly string[]): Promise<Unit[]> {
  const shown = await showUnits(run, units, PROPERTIES)
  if (shown.code !== 0) {
    throw new ServiceError('restart-failed', `systemctl show: ${shown.stderr.trim()}`)
  }
  return shown.units
}
