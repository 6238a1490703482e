import { listenerAt, listenerIn } from '../../sshd/listener.ts'
import { expectAgain, proveListening } from '../../sshd/proof.ts'
import { RESTART_TIMEOUT_MS } from '../../sshd/restart-timeout.ts'
import { ServiceError } from '../../sshd/ssh-service.ts'
import { showSshd } from './show-units.ts'
import type { SystemdHost } from './sshd-unit.ts'
import { failureWords } from './systemd-failure.ts'
import { hasFailed, idOf, invocationOf, pidOf } from './systemd-state.ts'
import type { Unit } from './systemd-units.ts'

/** What is known of a unit before its restart. */
export interface Before {
  /** The process that must be gone after it. */
  pid?: number
  /** The start that it runs since: one that was stopped meanwhile is left so, and is no failure. */
  invocation?: string
  /** Its count of starts is set back. */
  reset?: boolean
}

/**
 * Restarts or starts a unit of sshd, and returns once sshd listens, or was stopped by somebody else. Throws
 * `ServiceError`, with the journal's words.
 */
export async function restartUnit(
  unit: string,
  host: SystemdHost,
  { pid, invocation, reset = false }: Before,
): Promise<void> {
  const { run, clock, processes } = host
  const start = clock.now()
  const expected = expectAgain(processes, pid, await host.ports())
  const before = new Set(processes.inService(unit))
  const show = async () => (await showSshd(run, [unit]))[0]
  const systemctl = (verb: string) =>
    run(['systemctl', verb, unit], { timeoutMs: RESTART_TIMEOUT_MS })
  const failure = async (code: 'restart-failed' | 'timed-out', stderr: string) => {
    const words = await failureWords(host, unit, start, stderr)
    return new ServiceError(code, `systemctl restart ${unit}: ${words}`)
  }
  // Resets the count of starts too: that of the automatic restarts of a unit that fails is spent.
  if (reset) await run(['systemctl', 'reset-failed', unit])
  // Between our look and this a person may have stopped it, and be about to mask it.
  let result = await systemctl(invocation === undefined ? 'restart' : 'try-restart')
  if (result.code !== 0) {
    const now = await show()
    if (CALLED_OFF.test(result.stderr) && isStillStopped(now, invocation)) return
    if (now?.get('Result') === 'start-limit-hit') {
      // Others have spent the starts. The unit is down now, and nobody else would start it again.
      await run(['systemctl', 'reset-failed', unit])
      result = await systemctl('restart')
    }
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
    const now = await show()
    if (now === undefined || hasFailed(now)) throw await failure('restart-failed', '')
    if (isStillStopped(now, invocation)) return 'stopped'
    // `systemctl restart` succeeds where a condition keeps the unit from starting.
    if (now.get('ActiveState') === 'inactive') {
      const why = now.get('ConditionResult') === 'no' ? 'a condition of its unit is not met' : ''
      throw await failure('restart-failed', why || 'it stopped at once')
    }
    return listenerIn(unit, pidOf(now), processes)
  }
  await proveListening(find, expected, processes, clock)
}

// What systemctl says where a stop came in between. A dependency that fails takes sshd down too, and is told.
const CALLED_OFF = /\b(canceled|is masked)\b/

// It is down or on its way there, and has not been started since: neither by us nor by anybody.
function isStillStopped(now: Unit | undefined, invocation: string | undefined): boolean {
  return (
    invocation !== undefined &&
    ['inactive', 'deactivating'].includes(now?.get('ActiveState') ?? '') &&
    now?.get('ConditionResult') !== 'no' &&
    invocationOf(now) === invocation
  )
}

// A service that failed too often takes its socket along, and the port is closed.
export async function restartSocket(
  socket: string,
  unit: string,
  host: SystemdHost,
): Promise<void> {
  const { run, clock } = host
  const start = clock.now()
  await run(['systemctl', 'reset-failed', socket, unit])
  const result = await run(['systemctl', 'restart', socket], { timeoutMs: RESTART_TIMEOUT_MS })
  const [now] = await showSshd(run, [socket])
  if (result.code === 0 && now?.get('ActiveState') === 'active' && idOf(now) === socket) return
  const words = await failureWords(host, socket, start, result.stderr)
  throw new ServiceError('restart-failed', `systemctl restart ${socket}: ${words}`)
}
