import type { ProcessTable } from '../processes/process-table.ts'
import { findListeners, ofThisHost } from '../sshd/listener.ts'
import { type FoundSshd, ServiceError, type SshService } from '../sshd/ssh-service.ts'

/**
 * A host on which nothing restarts sshd: a container's, an image being built, an unknown init. The sshd
 * that was `found` before is the one, be it stopped; else the one that listens.
 */
export function openUnmanaged(processes: ProcessTable, found?: FoundSshd): SshService {
  const find = () => {
    const all = findListeners(processes)
    const [own] = ofThisHost(all, found)
    return own ?? (found === undefined ? all.sort((a, b) => a.pid - b.pid)[0] : undefined)
  }
  return {
    async state() {
      const listener = find()
      if (listener === undefined) return { kind: 'unmanaged' }
      return { kind: 'unmanaged', mainPid: listener.pid, argv: listener.argv }
    },
    async restart() {
      const message = 'no init that this program knows runs here; set sshd.restart_command'
      throw new ServiceError('unmanaged', message)
    },
    limit: async () => undefined,
  }
}
