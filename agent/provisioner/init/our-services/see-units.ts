import { AGENT_UNITS, type UnitSeen } from '../../../core/services/agent-units.ts'
import {
  RESIDENT_DROP_IN,
  SERVICE,
  unitsToStart,
  WEBHOOK_DROP_IN,
} from '../../../core/services/unit-drop-ins.ts'
import { showUnits } from '../systemd/show-units.ts'
import type { Unit } from '../systemd/systemd-units.ts'
import type { SeenHost, ServicesLook } from './our-services.ts'

const PROPERTIES = [
  'Id',
  'LoadState',
  'ActiveState',
  'SubState',
  'Result',
  'UnitFileState',
  'ExecMainStatus',
  'NRestarts',
  'ActiveEnterTimestampMonotonic',
]

/** Our units as systemd has them, for `status`: nothing is started to find out. */
export async function seeUnits({ run, exists, config }: SeenHost): Promise<ServicesLook> {
  const names = [...AGENT_UNITS.keys()]
  const shown = await showUnits(run, names, PROPERTIES)
  if (shown.code !== 0) {
    const why = `systemctl show: ${shown.stderr.trim() || `exit code ${shown.code}`}`
    return { units: [], wanted: [], unseen: [{ what: 'the units of the agent', why }] }
  }
  const upMs = Number(process.hrtime.bigint() / 1_000_000n)
  const units = shown.units.map(unit => unitSeen(unit, upMs))
  return { units, wanted: wantedUnits(units, config, exists), unseen: [] }
}

function unitSeen(unit: Unit, monotonicMs: number): UnitSeen {
  const get = (name: string) => unit.get(name) ?? ''
  const count = Number(get('NRestarts') || 0)
  const upMs = monotonicMs - Number(get('ActiveEnterTimestampMonotonic') || 0) / 1000
  const status = unit.get('ExecMainStatus')
  return {
    unit: get('Id'),
    load: get('LoadState'),
    active: get('ActiveState'),
    sub: get('SubState'),
    result: get('Result'),
    file: get('UnitFileState'),
    ...(status === undefined ? {} : { status: Number(status) }),
    ...(count > 0 ? { restarts: { count, upSeconds: Math.round(upMs / 1000) } } : {}),
  }
}

function wantedUnits(
  units: readonly UnitSeen[],
  config: SeenHost['config'],
  exists: SeenHost['exists'],
): string[] {
  const service = units.find(({ unit }) => unit === SERVICE)
  const resident = exists(RESIDENT_DROP_IN) || service?.file === 'enabled'
  const listen = exists(WEBHOOK_DROP_IN) ? { listen: 'as its drop-in says' } : {}
  return unitsToStart({ webhook: config?.webhook ?? listen }, { resident }).wanted
}
