import { invertStep } from '../core/invert-step.ts'
import type { Step } from '../core/step.ts'
import type { Host } from './host.ts'
import { lookAt } from './observe.ts'
import { runStep } from './run-step.ts'

export type Execution =
  | { kind: 'done' }
  | { kind: 'rolled-back'; cause: unknown }
  | { kind: 'rollback-failed'; cause: unknown; rollbackCause: unknown }

/** Told before and after each step; throwing from it fails the step. */
export type OnStep = (step: Step, when: 'before' | 'after') => void

/**
 * Runs the steps in order. Where one fails, it and those before it are undone, last first, and sshd
 * is asked again whether it could start.
 */
export async function execute(
  steps: readonly Step[],
  host: Host,
  onStep: OnStep = () => {},
): Promise<Execution> {
  const undo: Step[] = []
  try {
    for (const step of steps) {
      onStep(step, 'before')
      const before = 'path' in step ? lookAt(host.fs, host.at(step.path)) : undefined
      undo.unshift(...invertStep(step, before))
      await runStep(step, host)
      onStep(step, 'after')
    }
    return { kind: 'done' }
  } catch (cause) {
    return rollBack(undo, host, cause)
  }
}

async function rollBack(undo: Step[], host: Host, cause: unknown): Promise<Execution> {
  try {
    // A restart comes last in the undoing too: it must find the old files.
    const restarts = undo.filter(step => step.do === 'restart-sshd')
    for (const step of undo) if (step.do !== 'restart-sshd') await runStep(step, host)
    await runStep({ do: 'check-config', why: 'undone' }, host)
    for (const step of restarts) await runStep(step, host)
    return { kind: 'rolled-back', cause }
  } catch (rollbackCause) {
    return { kind: 'rollback-failed', cause, rollbackCause }
  }
}

/** A failed execution, for the outcome; both errors are told where the undoing failed too. */
export function describeFailure(failure: Exclude<Execution, { kind: 'done' }>) {
  const cause = messageOf(failure.cause)
  if (failure.kind === 'rolled-back') {
    const message = `${cause}; everything is as it was before`
    return { outcome: 'rolled-back' as const, code: 'step-failed', message }
  }
  const undoing = messageOf(failure.rollbackCause)
  const message = `${cause}; undoing it failed too: ${undoing}. Keep this session open, and see what \`sshd -t\` says`
  return { outcome: 'rollback-failed' as const, code: 'rollback-failed', message }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
