import { AgentError } from '../core/basics/agent-error.ts'

/**
 * Runs `work` until it settles, `milliseconds` have passed (rejects with `deadline`) or the caller
 * aborts (rejects with the signal's reason). Returns then even if `work` cannot be interrupted, as a
 * name lookup or a read from a dead network file system cannot.
 */
export async function withDeadline<T>(
  milliseconds: number,
  caller: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  caller?.throwIfAborted()
  const deadline = new AbortController()
  const signal = caller ? AbortSignal.any([caller, deadline.signal]) : deadline.signal
  const aborted = Promise.withResolvers<never>()
  signal.addEventListener('abort', () => aborted.reject(signal.reason), { once: true })
  const timer = setTimeout(() => deadline.abort(new AgentError('deadline')), milliseconds)
  try {
    return await Promise.race([work(signal), aborted.promise])
  } finally {
    clearTimeout(timer)
  }
}
