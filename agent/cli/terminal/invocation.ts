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

/** Wrong flags or configuration: printed without a stack, exit code 2. */
export class UsageError extends Error {
  override name = 'UsageError'
}
