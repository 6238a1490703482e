import { EXIT } from '../outcome/exit-codes.ts'

/** A unit as systemd has it, in the words of `systemctl show`. */
export type UnitProperties = ReadonlyMap<string, string>

/** What `describeFailure` and `isOver` go by. */
export const UNIT_PROPERTIES = [
  'Id',
  'LoadState',
  'ActiveState',
  'SubState',
  'MainPID',
  'Result',
  'ExecMainCode',
  'ExecMainStatus',
]

/**
 * How a unit has failed, to stand behind its name; `undefined` where it has not. One that is started again
 * and again is never seen as failed for long.
 */
export function failureOf(unit: UnitProperties): string | undefined {
  const is = (name: string) => unit.get(name) ?? ''
  const load = is('LoadState')
  if (load !== 'loaded') return load === 'not-found' ? 'is not there' : `is ${load}`
  const again = is('SubState').startsWith('auto-restart')
  const result = is('Result')
  const failed = is('ActiveState') === 'failed' || again
  if (!failed && (result === 'success' || result === '' || isUp(unit))) return undefined
  if (result !== 'exit-code') return `has failed (${result})`
  const status = Number(is('ExecMainStatus'))
  // Of a line before the main one (`ExecStartPre=`) systemd says no status here.
  if (status === 0) return 'has failed'
  return `has failed: ${describeStatus(status)}`
}

/** What a service's exit status means: of ours, or of systemd before it. */
export function describeStatus(status: number): string {
  return MEANINGS.get(status) ?? `exit status ${status}`
}

const isUp = (unit: UnitProperties) =>
  ['active', 'activating', 'reloading'].includes(unit.get('ActiveState') ?? '')

/** Whether the unit does its work and stays for more. */
export const isActive = (unit: UnitProperties) => unit.get('ActiveState') === 'active'

/** Whether the unit has run to its end. */
export const isOver = (unit: UnitProperties) => !isUp(unit)

// Ours, and those of systemd.exec(5), "Process Exit Codes", that settings and drop-ins can bring about.
const MEANINGS = new Map<number, string>([
  [EXIT.bug, 'exit status 1, a bug or a service that it needs'],
  [EXIT.usage, 'exit status 2, its configuration'],
  [EXIT.rolledBack, 'exit status 6, a step failed and was undone'],
  [EXIT.rollbackFailed, 'exit status 7, a step failed and could not be undone'],
  [203, '203/EXEC, the program could not be started'],
  [217, '217/USER, its user is not there'],
  [226, '226/NAMESPACE, its sandbox could not be made'],
  [228, '228/SECCOMP, its sandbox could not be made'],
  [238, '238/STATE_DIRECTORY, its folder in /var/lib could not be made'],
  [243, '243/CREDENTIALS, a file could not be handed over'],
])
