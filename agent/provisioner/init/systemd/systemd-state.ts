import type { ServiceState } from '../../sshd/ssh-service.ts'
import type { Unit } from './systemd-units.ts'

/** The units that sshd is known by. */
export const SERVICES = ['ssh.service', 'sshd.service'] as const
export const SOCKETS = ['ssh.socket', 'sshd.socket'] as const

/** The state of sshd, from its services and sockets; one that goes by another name is not among them. */
export function stateOf(units: readonly Unit[]): ServiceState {
  const loaded = units.filter(unit => !['not-found', ''].includes(unit.get('LoadState') ?? ''))
  const services = loaded.filter(unit => idOf(unit).endsWith('.service'))
  const sockets = loaded.filter(unit => idOf(unit).endsWith('.socket'))
  const usable = services.filter(unit => unit.get('LoadState') !== 'masked')
  const masked = services.find(unit => unit.get('LoadState') === 'masked')
  const listening = sockets.find(unit => unit.get('ActiveState') === 'active')
  const running = usable.find(isRunning)
  if (running !== undefined) {
    return { kind: 'running', unit: idOf(running), mainPid: pidOf(running), ...named(listening) }
  }
  if (listening !== undefined) {
    const socket = idOf(listening)
    const name = socket.replace(/\.socket$/, '')
    return listening.get('Accept') === 'yes'
      ? { kind: 'per-connection', unit: `${name}@.service`, socket }
      : { kind: 'idle', unit: `${name}.service`, socket, ...unusable(services, `${name}.service`) }
  }
  const failedSocket = sockets.find(unit => unit.get('ActiveState') === 'failed')
  const failed = usable.find(hasFailed) ?? failedSocket
  if (failed !== undefined) {
    const result = failed.get('Result') ?? ''
    return { kind: 'failed', unit: idOf(failed), result, ...named(failedSocket) }
  }
  if (masked !== undefined && pidOf(masked) !== 0) {
    return { kind: 'masked', unit: idOf(masked), mainPid: pidOf(masked) }
  }
  const stopped =
    usable.find(unit => (unit.get('UnitFileState') ?? '').startsWith('enabled')) ?? usable[0]
  if (stopped !== undefined) return { kind: 'stopped', unit: idOf(stopped) }
  return masked === undefined ? { kind: 'unmanaged' } : { kind: 'masked', unit: idOf(masked) }
}

// The socket goes on listening, and nobody gets in.
function unusable(services: readonly Unit[], name: string) {
  const load = services.find(unit => idOf(unit) === name)?.get('LoadState') ?? 'loaded'
  return load === 'loaded' ? {} : { load }
}

/** The name behind any alias. */
export function idOf(unit: Unit): string {
  return unit.get('Id') ?? ''
}

/** Which start of a unit it is, or was the last one (systemd.exec(5)). */
export function invocationOf(unit: Unit | undefined): string | undefined {
  return unit?.get('InvocationID') || undefined
}

/** It runs. One that is only starting is not restarted by `systemctl try-restart` (systemd 247). */
export function isActive(unit: Unit | undefined): boolean {
  return ['active', 'reloading'].includes(unit?.get('ActiveState') ?? '')
}

/** One that is about to start may have read its configuration already: it counts as running. */
function isRunning(unit: Unit): boolean {
  return !['inactive', 'failed', ''].includes(unit.get('ActiveState') ?? '') && !hasFailed(unit)
}

// With Restart=on-failure a unit that failed is `activating` until the next attempt.
export function hasFailed(unit: Unit): boolean {
  return (
    unit.get('ActiveState') === 'failed' || (unit.get('SubState') ?? '').startsWith('auto-restart')
  )
}

export function pidOf(unit: Unit): number {
  return Number(unit.get('MainPID') ?? 0)
}

function named(socket: Unit | undefined): { socket?: string } {
  return socket === undefined ? {} : { socket: idOf(socket) }
}
