import type { ProcessTable } from '../processes/process-table.ts'
import type { Run } from '../processes/run-command.ts'
import { findListeners, ofThisHost } from '../sshd/listener.ts'
import { expectAgain, proveListening } from '../sshd/proof.ts'
import { RESTART_TIMEOUT_MS } from '../sshd/restart-timeout.ts'
import { type Clock, type FoundSshd, ServiceError, type SshService } from '../sshd/ssh-service.ts'

/** What sshd's service is called by one distribution or another. */
export const SSHD_NAMES = ['ssh', 'sshd'] as const

export interface CommandedService {
  /** What the service is called, for people. */
  name: string
  /** Restarts it; an exit code other than 0 means that it failed. */
  restart: readonly string[]
  /** Run one after the other where the restart failed and no sshd is left. */
  rescue?: readonly (readonly string[])[]
  /** Whether any sshd may be its, where none is known to be: the operator speaks of it alone. */
  any?: boolean
}

export interface CommandHost {
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
 * An sshd that a command restarts. What the command says of its success is half the truth (Debian's
 * init script exits 0 where sshd could not bind its port), so state and proof come from the
 * processes: an sshd listens, and after a restart it is another one.
 */
export function commandedService(service: CommandedService, host: CommandHost): SshService {
  const { run, processes, clock } = host
  const find = () => listenersOnHost(service, host)[0]
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
        const pids = listenersOnHost(service, host)
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

// One with a configuration of its own is the service's only where it was so before, or where sshd's own
// note of its process says so (PidFile of sshd_config(5)).
function listenersOnHost({ any }: CommandedService, { processes, found, read }: CommandHost) {
  const all = findListeners(processes)
  const own = ofThisHost(all, found)
  if (own.length > 0 || found !== undefined) return own
  const noted = Number(read?.(PID_FILE) ?? Number.NaN)
  const byNote = all.filter(({ pid }) => pid === noted)
  return byNote.length > 0 || !any ? byNote : all.sort((a, b) => a.pid - b.pid)
}

const PID_FILE = '/run/sshd.pid'

// Only where nothing listens any more: an init that has lost track of sshd refuses to start it.
async function rescue(service: CommandedService, host: CommandHost) {
  const { run } = host
  let code = 1
  if (listenersOnHost(service, host).length > 0) return false
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
