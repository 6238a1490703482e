import { existsSync } from 'node:fs'
import type { Config } from '../../core/config/config.ts'
import { RESIDENT_DROP_IN } from '../../core/services/unit-drop-ins.ts'
import { proveScripts } from '../init/our-services/prove-scripts.ts'
import { type FailedUnit, proveUnits } from '../init/our-services/prove-units.ts'
import { openProcessTable } from '../processes/process-table.ts'
import { runCommand } from '../processes/run-command.ts'
import { hostInit, SERVICE_LOG } from './set-up.ts'

/** Our services that can't do their work, each run or looked at once; none where no init runs. */
export async function prove(config: Config): Promise<FailedUnit[]> {
  const { init, running } = hostInit()
  if (!running) return []
  if (init !== 'systemd') return proveScripts(openProcessTable(), SERVICE_LOG)
  const resident = existsSync(RESIDENT_DROP_IN)
  return proveUnits(config, { resident }, argv => runCommand(argv, { timeoutMs: 180_000 }))
}
