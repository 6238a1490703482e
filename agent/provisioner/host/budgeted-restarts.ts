import { optional } from '../../core/basics/when-defined.ts'
import type { ServiceState } from '../../core/host/observation.ts'
import { observedState } from '../sshd/observed-state.ts'
import type { Restarts } from '../sshd/restart-history.ts'
import {
  type Restarter,
  restartOrDefer,
  restartWithinBudget,
} from '../sshd/restart-within-budget.ts'
import type { ServiceState as FoundState, SshService } from '../sshd/ssh-service.ts'

/** Why sshd is restarted: see `planRestart`; `undo` where a change is taken back. */
export type RestartReason = 'config' | 'rotation' | 'undo'

/** The service as the plan and its steps see it. */
export interface Service {
  state(): Promise<ServiceState>
  /** The same as the init has it, with the process that listens; and what starts it. */
  found(): Promise<{ state: FoundState; command?: string }>
  /** Restarts sshd within the budget; a rotation's restart may be put off, with somebody to do it. */
  restart(reason: RestartReason): Promise<'restarted' | 'deferred'>
  /** The restarts that we have made. */
  restarts(): Restarts
}

/** Sees to it that a restart which the budget puts off is made when its time has come. */
export type Defer = (afterMs: number) => Promise<boolean>

export function budgetedService(restarter: Restarter, defer: Defer): Service {
  return {
    state: async () => observedState(await restarter.service.state()),
    async found() {
      const { command } = restarter.service
      return { state: await restarter.service.state(), ...optional('command', command) }
    },
    restarts: restarter.history.read,
    async restart(reason) {
      if (reason !== 'rotation') {
        await restartWithinBudget(restarter, reason === 'undo' ? 'rollback' : 'change')
        return 'restarted'
      }
      const result = await restartOrDefer(restarter)
      if (result.kind === 'restarted') return 'restarted'
      if (await defer(result.untilMs - restarter.clock.now())) return 'deferred'
      await restartWithinBudget(restarter, 'change')
      return 'restarted'
    },
  }
}

/**
 * The service while boot waits with it for us: what has not started yet reads what we leave, and a restart
 * that waits for it, as we are waited for, would come to no end.
 */
export function beforeStart(service: Service): Service {
  return {
    ...service,
    async restart(reason) {
      const { kind } = await service.state()
      return kind === 'not-running' ? 'restarted' : service.restart(reason)
    },
  }
}

/** A tree in which nothing runs. */
export const noService: Service = {
  state: async () => ({ kind: 'none' }),
  found: async () => ({ state: { kind: 'unmanaged' } }),
  restart: async () => 'restarted',
  restarts: () => ({ recent: [], total: 0 }),
}

/** The argv of the sshd that listens, or of the one that the init would start. */
export async function listenerArgv(service: SshService): Promise<readonly string[] | undefined> {
  const state = await service.state()
  return 'argv' in state ? state.argv : service.startArgv?.()
}
