import { AgentError } from '../../core/basics/agent-error.ts'

/** `set-up`: the host does not let itself be set up. */
export class SetupError extends AgentError {
  constructor(message: string) {
    super('set-up', message)
  }
}
