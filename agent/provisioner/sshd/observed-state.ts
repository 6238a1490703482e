import type { ServiceState as Observed } from '../../core/host/observation.ts'
import type { ServiceState } from './ssh-service.ts'

/** What a plan needs to know of the service: what is to be done for sshd to read a new config. */
export function observedState(state: ServiceState): Observed {
  switch (state.kind) {
    case 'running':
      return { kind: 'running', unit: state.unit }
    case 'failed':
      return { kind: 'failed', unit: state.unit, result: state.result }
    case 'idle':
    case 'per-connection':
      return { kind: 'not-running', unit: state.unit, socket: state.socket }
    case 'stopped':
      return { kind: 'not-running', unit: state.unit }
    case 'masked':
      return state.mainPid === undefined
        ? { kind: 'not-running', unit: state.unit }
        : { kind: 'not-ours', why: `${state.unit} is masked; systemctl unmask it first` }
    case 'unmanaged':
      return state.mainPid === undefined
        ? { kind: 'none' }
        : { kind: 'not-ours', why: whyUnmanaged(state.mainPid, state.insteadOf) }
  }
}

function whyUnmanaged(pid: number, insteadOf: string | undefined): string {
  return insteadOf === undefined
    ? 'no init that we know runs sshd; set sshd.restart_command'
    : `${insteadOf} is stopped, and process ${pid} is an sshd with its configuration; stop that one, or set sshd.restart_command`
}
