import { optional } from '../../../core/basics/when-defined.ts'
import type { ProcessTable } from '../../processes/process-table.ts'
import type { Run } from '../../processes/run-command.ts'
import { recent } from '../../processes/short-cache.ts'
import { findListeners, listenerAt, listenerIn, ofThisHost } from '../../sshd/listener.ts'
import {
  type Clock,
  type FoundSshd,
  ServiceError,
  type ServiceState,
  type SshService,
} from '../../sshd/ssh-service.ts'
import { parseStartLine, START_PROPERTIES } from './exec-start.ts'
import { restartSocket, restartUnit } from './restart-unit.ts'
import { showSshd } from './show-units.ts'
import { idOf, invocationOf, isActive, SERVICES, SOCKETS, stateOf } from './systemd-state.ts'
import { limitOf, type Unit } from './systemd-units.ts'

export interface SystemdHost {
  run: Run
  processes: ProcessTable
  clock: Clock
  /** The ports that sshd is configured to listen on (`configuredPorts`); none where not known. */
  ports: () => Promise<readonly number[]>
  /** The sshd that was configured before, if any was. */
  found?: FoundSshd
  /** The text of a file of the host; `undefined` where there is none. */
  read?(path: string): string | undefined
}

/**
 * sshd under systemd: the unit that was `found` before, while systemd knows it, be it stopped; else
 * `ssh.service` on Debian and Ubuntu, where `sshd.service` is an alias once enabled, `sshd.service`
 * elsewhere, any other name by the unit of the sshd that listens.
 */
export function openSystemd(host: SystemdHost): SshService {
  const { run, processes, clock, found } = host
  // What this restarted and found down is what it starts again, whatever else listens meanwhile.
  let ours: string | undefined
  // A cycle asks several times within a moment, and each answer takes as long as all else that it does.
  const seen = recent<readonly Unit[]>(clock.now)
  const look = async () => {
    const known = seen.get()
    if (known !== undefined) return known
    const askedAt = clock.now()
    const units = await showSshd(run, [...new Set([...SERVICES, ...SOCKETS, ...unitsOf(found)])])
    seen.keep(units, askedAt)
    return units
  }
  const state = async (): Promise<ServiceState> => {
    const known = stateOf(ofFound(await look(), found))
    switch (known.kind) {
      case 'stopped':
      case 'masked':
        if (known.unit === ours) return known
        return known.unit === found?.unit
          ? besides(known, processes, found)
          : elsewhere(known, processes, found)
      case 'unmanaged':
        return elsewhere(known, processes, found)
      case 'failed':
        return leftBehind(known, processes)
      default:
        return withArgv(known, processes)
    }
  }
  const unitOf = async (unit: string) =>
    (await look()).find(each => idOf(each) === unit) ?? (await showSshd(run, [unit]))[0]
  return {
    state,
    async restart() {
      // A connection may have started what waited behind a socket a moment ago.
      if ((await state()).kind === 'idle') seen.forget()
      const before = await state()
      const running = before.kind === 'running' && !before.forgotten
      const unit = running ? await unitOf(before.unit) : undefined
      const invocation = isActive(unit) ? invocationOf(unit) : undefined
      seen.forget()
      if ('unit' in before) ours = before.unit
      switch (before.kind) {
        case 'idle':
        case 'per-connection':
          return
        case 'unmanaged':
          throw new ServiceError('unmanaged', 'systemd knows no unit of sshd')
        case 'masked':
          throw new ServiceError('masked', `${before.unit} is masked; systemctl unmask it first`)
        case 'failed':
          return before.socket === undefined
            ? restartUnit(before.unit, host, { reset: true })
            : restartSocket(before.socket, before.unit, host)
        case 'stopped':
          return restartUnit(before.unit, host, { reset: true })
        case 'running':
          if (before.forgotten) await dismiss(before.mainPid, host)
          return restartUnit(before.unit, host, {
            pid: before.mainPid,
            ...optional('invocation', invocation),
          })
      }
    },
    async startArgv() {
      const now = await state()
      if (!('unit' in now) || !now.unit.endsWith('.service')) return undefined
      const properties = START_PROPERTIES.map(name => `--property=${name}`)
      // Of a template only an instance can be asked about, be there one or not.
      const unit = now.unit.replace('@.', '@0.')
      const shown = await run(['systemctl', 'show', ...properties, '--', unit])
      return parseStartLine(shown.stdout, path => host.read?.(path))
    },
    async limit() {
      const { kind, ...rest } = await state()
      if (kind === 'unmanaged' || !('unit' in rest) || rest.unit.includes('@')) return undefined
      const unit = await unitOf(rest.unit)
      return unit === undefined ? undefined : limitOf(unit)
    },
  }
}

function withArgv(state: ServiceState, processes: ProcessTable): ServiceState {
  if (state.kind !== 'running') return state
  const listener = listenerIn(state.unit, state.mainPid, processes)
  return listener === undefined ? state : { ...state, mainPid: listener.pid, argv: listener.argv }
}

// One known by its name alone may be looked for under it; of a template only an instance exists.
function unitsOf(found: FoundSshd | undefined): string[] {
  return found?.unit?.endsWith('.service') && !found.unit.includes('@') ? [found.unit] : []
}

// The one that was found before is the one, as long as systemd knows it, with whatever socket it has.
function ofFound(units: readonly Unit[], found: FoundSshd | undefined): readonly Unit[] {
  const unit = units.find(each => idOf(each) === found?.unit)
  if (unit === undefined || ['not-found', ''].includes(unit.get('LoadState') ?? '')) return units
  const known = ([...SERVICES] as string[]).includes(idOf(unit))
  return [unit, ...units.filter(each => known && idOf(each).endsWith('.socket'))]
}

// It is stopped, and is ours all the same. Where another sshd goes by its configuration, that one would
// have to be restarted for a change of it.
function besides(
  known: Extract<ServiceState, { kind: 'stopped' | 'masked' }>,
  processes: ProcessTable,
  found: FoundSshd,
): ServiceState {
  if (known.kind === 'masked' && known.mainPid !== undefined) return maskedRunning(known, processes)
  const [other] = ofThisHost(findListeners(processes), found)
  if (other === undefined) return known
  const { pid: mainPid, argv, unit } = other
  return unit === known.unit
    ? { kind: 'running', unit, mainPid, argv, forgotten: true }
    : { kind: 'unmanaged', mainPid, insteadOf: known.unit }
}

// An sshd that the unit was masked and unmasked over has its port: a start of the unit fails, and that
// one serves everybody.
function leftBehind(
  known: Extract<ServiceState, { kind: 'failed' }>,
  processes: ProcessTable,
): ServiceState {
  const { unit } = known
  const left = findListeners(processes).find(listener => listener.unit === unit)
  return left === undefined
    ? known
    : { kind: 'running', unit, mainPid: left.pid, argv: left.argv, forgotten: true }
}

function maskedRunning(
  known: Extract<ServiceState, { kind: 'masked' }>,
  processes: ProcessTable,
): ServiceState {
  const listener = listenerIn(known.unit, known.mainPid ?? 0, processes)
  return listener === undefined ? known : { ...known, argv: listener.argv }
}

// None of the known units runs, and none was found before: perhaps one of another name does, or an sshd
// started by hand. Where there is such a unit, only one with its configuration counts.
function elsewhere(
  known: ServiceState,
  processes: ProcessTable,
  found: FoundSshd | undefined,
): ServiceState {
  if (known.kind === 'masked' && known.mainPid !== undefined) return maskedRunning(known, processes)
  const all = findListeners(processes)
  const own = ofThisHost(all, found)
  const any = known.kind === 'unmanaged' && found === undefined ? all : []
  const listeners = own.length > 0 ? own : any.sort((a, b) => a.pid - b.pid)
  const other = listeners.find(({ unit }) => unit !== undefined)
  if (other?.unit !== undefined) {
    return { kind: 'running', unit: other.unit, mainPid: other.pid, argv: other.argv }
  }
  const [byHand] = listeners
  if (byHand === undefined) return known
  const instead = 'unit' in known ? { insteadOf: known.unit } : {}
  return { kind: 'unmanaged', mainPid: byHand.pid, argv: byHand.argv, ...instead }
}

// What systemd would do if it knew of it: the one that listens goes, and its sessions stay. Without that
// the new one would find the port taken.
async function dismiss(pid: number, { run, processes, clock }: SystemdHost): Promise<void> {
  await run(['sh', '-c', 'kill "$1"', 'sh', String(pid)])
  const until = clock.now() + 5_000
  while (listenerAt(processes, pid) !== undefined && clock.now() < until) await clock.sleep(20)
}
