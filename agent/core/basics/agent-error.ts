/**
 * Thrown on purpose, for a caller that catches it. It is told by its `code`, which is never that of a system
 * call (`ENOENT`); the words are for people.
 */
export class AgentError<C extends string = ErrorCode> extends Error {
  override name = 'AgentError'
  readonly code: C

  // Not inferred, or any word would do.
  constructor(code: NoInfer<C>, message?: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** The codes of errors that carry nothing else; the others have a class, and codes of their own. */
type ErrorCode =
  /** Wrong flags or configuration: printed without a stack, exit code 2. */
  | 'usage'
  /** The host does not let itself be set up. */
  | 'set-up'
  /** Another run goes on for longer than anybody waits. */
  | 'lock-held'
  /** The whole of something took too long. */
  | 'deadline'
  /** `HTTPS_PROXY` is set to something that is no proxy. */
  | 'bad-proxy'
  /** A file of TLS roots holds no certificate, or one that cannot be read. */
  | 'bad-roots'
  /** The provisioner could not be asked, or gave no answer; what it did is in its own journal. */
  | 'no-provisioner'
  /** A program that watches sshd's log does not say what it goes by. */
  | 'unanswered'

export function isThrown(error: unknown, code: ErrorCode): error is AgentError {
  return error instanceof AgentError && error.code === code
}
