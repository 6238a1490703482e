import { listenerOnHost } from './commanded-service.ts'
import type { ProcessTable } from './process-table.ts'
import { ServiceError, type SshService } from './ssh-service.ts'

/** A host on which nothing restarts sshd: a container's, an image being built, an unknown init. */
export function openUnmanaged(processes?: ProcessTable): SshService {
  return {
    async state() {
      const listener = processes === undefined ? undefined : listenerOnHost(processes)
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
