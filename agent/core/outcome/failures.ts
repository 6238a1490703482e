import { type Step, VERBS } from '../host/step.ts'

/** A failed transaction, for the outcome; both errors are told where the undoing failed too. */
export function describeFailure(
  failure:
    | { kind: 'rolled-back'; cause: unknown }
    | { kind: 'rollback-failed'; cause: unknown; rollbackCause: unknown },
) {
  const cause = messageOf(failure.cause)
  if (failure.kind === 'rolled-back') {
    const message = `${cause}; everything is as it was before`
    return { outcome: 'rolled-back' as const, code: 'step-failed', message }
  }
  const undoing = messageOf(failure.rollbackCause)
  const message = `${cause}; undoing it failed too: ${undoing}. Keep this session open, and see what \`sshd -t\` says`
  return { outcome: 'rollback-failed' as const, code: 'rollback-failed', message }
}

/** What failed, with the step and the path it was at: a full disk names neither (write(2)). */
export function failedAt(step: Step, cause: unknown): unknown {
  return 'path' in step ? failedTo(`${VERBS[step.do]} ${step.path}`, cause) : cause
}

/** The same error, said in full: who goes by a system error's code finds it here too. */
export function failedTo(what: string, cause: unknown): Error {
  const error = new Error(`could not ${what}: ${messageOf(cause)}`, { cause })
  return cause instanceof Error && 'code' in cause
    ? Object.assign(error, { code: cause.code })
    : error
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
