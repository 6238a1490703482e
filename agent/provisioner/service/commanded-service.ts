import type { Run } from '../run-command.ts'
import { findListeners, type Listener } from './listener.ts'
import type { ProcessTable } from './process-table.ts'
import { expectAgain, proveListening } from './proof.ts'
import { type Clock, RESTART_TIMEOUT_MS, ServiceError, type SshService } from './ssh-service.ts'

export interface CommandedService {
  /** What the service is called, for people. */
  name: string
  /** Restarts it; an exit code other than 0 means that it failed. */
  restart: readonly string[]
  /** Run one after the other where the restart failed and no sshd is left. */
  rescue?: readonly (readonly string[])[]
}

export interface CommandHost {
  run: Run
  processes: ProcessTable
  clock: Clock
  /** The ports that sshd is configured to listen on (`configuredPorts`); none where not known. */
  ports: () => Promise<readonly number[]>
}

/**
 * An sshd that a command restarts. What the command says of its success is half the truth (Debian's
 * init script exits 0 where sshd could not bind its port), so state and proof come from the
 * processes: an sshd listens, and after a restart it is another one.
 */
export function commandedService(service: CommandedService, host: CommandHost): SshService {
  const { run, processes, clock } = host
  const find = () => listenerOnHost(processes)
  return {
    async state() {
      const listener = find()
      return listener === undefined
        ? { kind: 'stopped', unit: service.name }
        : { kind: 'running', unit: service.name, mainPid: listener.pid, argv: listener.argv }
    },
    async restart() {
      const old = find()?.pid
      const expected = expectAgain(processes, old, await host.ports())
      const result = await run(service.restart, { timeoutMs: RESTART_TIMEOUT_MS })
      const words = said(service.restart, result)
      if (result.code !== 0 && !(await rescue(service, host))) {
        throw new ServiceError(result.code === 124 ? 'timed-out' : 'restart-failed', words)
      }
      const isNew = async () => {
        const pids = findListeners(processes)
        return pids.find(({ pid }) => pid !== old) ?? pids[0]
      }
      try {
        await proveListening(isNew, expected, processes, clock)
      } catch (cause) {
        if (!(cause instanceof ServiceError)) throw cause
        throw new ServiceError(cause.code, `${cause.message}; ${words}`, { cause })
      }
    },
    limit: async () => undefined,
    command: service.restart.join(' '),
  }
}

/** The sshd to restart: with several, the one that was started first, as far as numbers tell. */
export function listenerOnHost(processes: ProcessTable): Listener | undefined {
  return findListeners(processes).sort((a, b) => a.pid - b.pid)[0]
}

// Only where nothing listens any more: an init that has lost track of sshd refuses to start it.
async function rescue(service: CommandedService, { run, processes }: CommandHost) {
  let code = 1
  if (listenerOnHost(processes) !== undefined) return false
  for (const argv of service.rescue ?? []) {
    code = (await run(argv, { timeoutMs: RESTART_TIMEOUT_MS })).code
  }
  return code === 0
}

function said(
  argv: readonly string[],
  { code, stdout, stderr }: { code: number; stdout: string; stderr: string },
): string {
  const lines = `${stderr}\n${stdout}`.split('\n').map(line => line.trim())
  const words = lines
    .filter(line => line !== '')
    .slice(0, 5)
    .join('; ')
  return `${argv.join(' ')} ended with ${code}${words === '' ? '' : `: ${words}`}`
}
