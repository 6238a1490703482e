import { optional } from '../basics/when-defined.ts'
import type { FileState } from '../host/observation.ts'
import type { Step } from '../host/step.ts'

/**
 * The steps that undo `step` on a host where `before` stood at its path. Each brings about a state
 * rather than an action, so that it may be run twice, or where the step itself never got so far.
 */
export function invertStep(step: Step, before: FileState | undefined): Step[] {
  const why = 'undone'
  switch (step.do) {
    case 'make-folder':
      return [{ do: 'remove-folder', path: step.path, why }]
    case 'write-file': {
      if (before?.kind !== 'file') {
        return [{ do: 'remove-file', path: step.path, ...optional('vital', step.vital), why }]
      }
      // A file of ours is not given back to a wrong owner: only root's decide whom sshd trusts.
      const { uid, gid } = step.found ? before : step
      const { content, mode } = before
      return [{ do: 'write-file', path: step.path, content, mode, uid, gid, why }]
    }
    case 'remove-file':
      return before?.kind === 'file'
        ? [{ do: 'write-file', path: step.path, ...fileSpec(before), why }]
        : [{ do: 'remove-file', path: step.path, why }]
    case 'remove-folder':
      return before?.kind === 'folder'
        ? [{ do: 'make-folder', path: step.path, mode: before.mode, why }]
        : []
    case 'restart-sshd':
      return [{ ...step, reason: 'undo', why }]
    case 'check-config':
    case 'prove-trust':
      return []
  }
}

function fileSpec({ content, mode, uid, gid }: Extract<FileState, { kind: 'file' }>) {
  return { content, mode, uid, gid }
}
