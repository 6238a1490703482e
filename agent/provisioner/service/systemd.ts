import { recent } from '../recent.ts'
import type { Run } from '../run-command.ts'
import { findListeners, type Listener, listenerAt, ofThisHost } from './listener.ts'
import type { ProcessTable } from './process-table.ts'
import { expectAgain, proveListening } from './proof.ts'
import { showUnits } from './show-units.ts'
import {
  type Clock,
  type FoundSshd,
  RESTART_TIMEOUT_MS,
  ServiceError,
  type ServiceState,
  type SshService,
} from './ssh-service.ts'
import { failureWords } from './systemd-failure.ts'
import { hasFailed, idOf, pidOf, SERVICES, SOCKETS, stateOf } from './systemd-state.ts'
import { limitOf, PROPERTIES, type Unit } from './systemd-units.ts'

export interface SystemdHost {
  run: Run
  processes: ProcessTable
  clock: Clock
  /** The ports that sshd is configured to listen on (`configuredPorts`); none where not known. */
  ports: () => Promise<readonly number[]>
  /** The sshd that was configured before, if any was. */
  found?: FoundSshd
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
    const units = await show(run, [...new Set([...SERVICES, ...SOCKETS, ...unitsOf(found)])])
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
      default:
        return withArgv(known, processes)
    }
  }
  return {
    state,
    async restart() {
      const before = await state()
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
          return restartUnit(before.unit, host, { pid: before.mainPid })
      }
    },
    async limit() {
      const { kind, ...rest } = await state()
      if (kind === 'unmanaged' || !('unit' in rest) || rest.unit.includes('@')) return undefined
      const known = (await look()).find(each => idOf(each) === rest.unit)
      const unit = known ?? (await show(run, [rest.unit]))[0]
      return unit === undefined ? undefined : limitOf(unit)
    },
  }
}

async function show(run: Run, units: readonly string[]): Promise<Unit[]> {
  const shown = await showUnits(run, units, PROPERTIES)
  if (shown.code !== 0) {
    throw new ServiceError('restart-failed', `systemctl show: ${shown.stderr.trim()}`)
  }
  return shown.units
}

function withArgv(state: ServiceState, processes: ProcessTable): ServiceState {
  if (state.kind !== 'running') return state
  const listener = listenerOf(state.unit, state.mainPid, processes)
  return listener === undefined ? state : { ...state, mainPid: listener.pid, argv: listener.argv }
}

// The main process may be a wrapper that has sshd as its child.
function listenerOf(unit: string, mainPid: number, processes: ProcessTable): Listener | undefined {
  if (mainPid === 0) return undefined
  const main = listenerAt(processes, mainPid)
  return main ?? findListeners(processes).find(listener => listener.unit === unit)
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

function maskedRunning(
  known: Extract<ServiceState, { kind: 'masked' }>,
  processes: ProcessTable,
): ServiceState {
  const listener = listenerOf(known.unit, known.mainPid ?? 0, processes)
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

async function restartUnit(
  unit: string,
  host: SystemdHost,
  { pid, reset = false }: { pid?: number; reset?: boolean },
): Promise<void> {
  const { run, clock, processes } = host
  const start = clock.now()
  const expected = expectAgain(processes, pid, await host.ports())
  const before = new Set(processes.inService(unit))
  const failure = async (code: 'restart-failed' | 'timed-out', stderr: string) => {
    const words = await failureWords(host, unit, start, stderr)
    return new ServiceError(code, `systemctl restart ${unit}: ${words}`)
  }
  // Resets the count of starts too: that of the automatic restarts of a unit that fails is spent.
  if (reset) await run(['systemctl', 'reset-failed', unit])
  let result = await restart(run, unit)
  if (result.code !== 0 && (await hitLimit(run, unit))) {
    // Others have spent the starts. The unit is down now, and nobody else would start it again.
    await run(['systemctl', 'reset-failed', unit])
    result = await restart(run, unit)
  }
  if (result.code === 124) throw await failure('timed-out', result.stderr)
  if (result.code !== 0) throw await failure('restart-failed', result.stderr)
  // What of the unit was not there before and says that it listens is proof enough. Only where there is
  // none is systemd asked, which knows why.
  const find = async () => {
    const ready = processes
      .inService(unit)
      .map(each => (before.has(each) ? undefined : listenerAt(processes, each)))
      .find(listener => listener?.announced)
    if (ready !== undefined) return ready
    const [now] = await show(run, [unit])
    if (now === undefined || hasFailed(now)) throw await failure('restart-failed', '')
    // `systemctl restart` succeeds where a condition keeps the unit from starting.
    if (now.get('ActiveState') === 'inactive') {
      const why = now.get('ConditionResult') === 'no' ? 'a condition of its unit is not met' : ''
      throw await failure('restart-failed', why || 'it stopped at once')
    }
    return listenerOf(unit, pidOf(now), processes)
  }
  await proveListening(find, expected, processes, clock)
}

function restart(run: Run, unit: string) {
  return run(['systemctl', 'restart', unit], { timeoutMs: RESTART_TIMEOUT_MS })
}

async function hitLimit(run: Run, unit: string): Promise<boolean> {
  const [now] = await show(run, [unit])
  return now?.get('Result') === 'start-limit-hit'
}

// A service that failed too often takes its socket along, and the port is closed.
async function restartSocket(socket: string, unit: string, host: SystemdHost): Promise<void> {
  const { run, clock } = host
  const start = clock.now()
  await run(['systemctl', 'reset-failed', socket, unit])
  const result = await restart(run, socket)
  const [now] = await show(run, [socket])
  if (result.code === 0 && now?.get('ActiveState') === 'active' && idOf(now) === socket) return
  const words = await failureWords(host, socket, start, result.stderr)
  throw new ServiceError('restart-failed', `systemctl restart ${socket}: ${words}`)
}
