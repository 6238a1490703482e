import { parseTimespan } from '../../../core/basics/time-span.ts'
import type { StartLimit } from '../../../core/services/restart-budget.ts'

/** What `systemctl show` says of one unit; a property that this systemd does not know is missing. */
export type Unit = ReadonlyMap<string, string>

export const PROPERTIES = [
  'Id',
  'LoadState',
  'ActiveState',
  'SubState',
  'MainPID',
  'Result',
  'ConditionResult',
  'Accept',
  'UnitFileState',
  'StartLimitBurst',
  'StartLimitIntervalUSec',
  'InvocationID',
] as const

/**
 * Parses `systemctl show UNIT…`: one block per unit, in the order asked for, divided by an empty
 * line; within a block systemd's own order, whatever was asked for.
 */
export function parseUnits(text: string): Unit[] {
  return text
    .split(/\n\n+/)
    .filter(block => block.trim() !== '')
    .map(block => new Map(block.trim().split('\n').map(splitAtEquals)))
}

/** The unit's start limit; a burst or an interval of 0 switches it off (systemd.unit(5)). */
export function limitOf(unit: Unit): StartLimit | undefined {
  const burst = Number(unit.get('StartLimitBurst'))
  const intervalMs = parseTimespan(unit.get('StartLimitIntervalUSec') ?? '')
  if (!(burst > 0) || intervalMs === undefined || intervalMs === 0) return undefined
  return { burst, intervalSeconds: intervalMs / 1000 }
}

function splitAtEquals(line: string): [string, string] {
  const at = line.indexOf('=')
  return at === -1 ? [line, ''] : [line.slice(0, at), line.slice(at + 1)]
}
