import type { StartLimit } from '../../core/restart-budget.ts'

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

const UNITS_OF_TIME: Record<string, number> = {
  us: 1e-6,
  ms: 1e-3,
  s: 1,
  min: 60,
  h: 3600,
  d: 86_400,
  w: 604_800,
  month: 2_629_800,
  y: 31_557_600,
}

/** A time span as systemd prints it, in seconds: `1min 30s`, `500ms`, `infinity` (systemd.time(7)). */
export function parseTimeSpan(text: string): number | undefined {
  if (text === 'infinity') return Number.POSITIVE_INFINITY
  if (text === '0') return 0
  let seconds = 0
  for (const part of text.split(' ')) {
    const [, amount, unit = ''] = /^(\d+(?:\.\d+)?)([a-z]+)$/.exec(part) ?? []
    const factor = UNITS_OF_TIME[unit]
    if (amount === undefined || factor === undefined) return undefined
    seconds += Number(amount) * factor
  }
  return seconds
}

/** The unit's start limit; a burst or an interval of 0 switches it off (systemd.unit(5)). */
export function limitOf(unit: Unit): StartLimit | undefined {
  const burst = Number(unit.get('StartLimitBurst'))
  const intervalSeconds = parseTimeSpan(unit.get('StartLimitIntervalUSec') ?? '')
  if (!(burst > 0) || intervalSeconds === undefined || intervalSeconds === 0) return undefined
  return { burst, intervalSeconds }
}

function splitAtEquals(line: string): [string, string] {
  const at = line.indexOf('=')
  return at === -1 ? [line, ''] : [line.slice(0, at), line.slice(at + 1)]
}
