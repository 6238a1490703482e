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

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
