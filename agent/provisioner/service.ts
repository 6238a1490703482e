import type { ServiceState } from '../core/observation.ts'

/** Whatever starts and stops sshd on this host. */
export interface SshService {
  state(): Promise<ServiceState>
  /** Restarts sshd and returns once it listens again; throws where it does not. */
  restart(unit: string): Promise<void>
}

/** A host on which nothing is to be restarted: an image being built, or an init we don't know. */
export const unmanagedService: SshService = {
  state: async () => ({ kind: 'unmanaged' }),
  restart: async unit => {
    throw new Error(`nothing here can restart ${unit}`)
  },
}
