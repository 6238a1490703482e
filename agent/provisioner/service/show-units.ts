import type { CommandResult, Run } from '../run-command.ts'
import { parseUnits, type Unit } from './systemd-units.ts'

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
