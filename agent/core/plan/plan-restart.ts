import type { ServiceState } from '../host/observation.ts'
import type { Step } from '../host/step.ts'
import { type HostRefused, refuseHost } from '../outcome/host-refusal.ts'

/**
 * The restart that a change needs, if any. `config`: not in force before; `rotation`: in force
 * already, since sshd opens the CA file at every login, and may wait. `vital`: a list of revoked keys
 * comes or goes, and a connection may start what waits behind a socket with the configuration of before.
 */
export function planRestart(
  service: ServiceState,
  why: string | undefined,
  reason: 'config' | 'rotation',
  vital = false,
): Step[] | HostRefused {
  if (why === undefined) return []
  switch (service.kind) {
    case 'running':
      return [{ do: 'restart-sshd', unit: service.unit, reason, why }]
    case 'failed':
      return [{ do: 'restart-sshd', unit: service.unit, reason, why: `failed: ${service.result}` }]
    case 'not-running': {
      const { unit, socket } = service
      return vital && socket !== undefined ? [{ do: 'restart-sshd', unit, reason, why }] : []
    }
    case 'none':
      return []
    case 'not-ours':
      return reason === 'rotation'
        ? []
        : refuseHost('no-way-to-restart', `sshd runs and can't be restarted: ${service.why}`)
  }
}
