import { AgentError } from '../../core/basics/agent-error.ts'

/** What `main` read from argv and the environment; a command sees nothing else of the process. */
export interface Invocation {
  /** The words after the command. */
  args: string[]
  environment: Readonly<Record<string, string | undefined>>
  /** How to start this program again; a command's name comes behind it. */
  self: readonly string[]
  version: string
  isRoot: boolean
}

/** A command: prints, and returns the exit code. */
export type Command = (invocation: Invocation) => Promise<number>

/** `usage`: wrong flags or configuration. */
export class UsageError extends AgentError {
  constructor(message: string, options?: ErrorOptions) {
    super('usage', message, options)
  }
}
