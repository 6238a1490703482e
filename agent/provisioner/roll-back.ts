import type { Step } from '../core/step.ts'
import { removeFile, temporaryName } from './atomic-write.ts'
import type { Host } from './host.ts'
import { clearJournal, type Journal, readJournal } from './journal.ts'
import { lookAt } from './look-at.ts'
import { runStep } from './run-step.ts'

/**
 * Undoes a transaction from wherever it stopped. A restart comes last, since it must find the old
 * files, and only if sshd may have seen the new ones.
 */
export async function rollBack(journal: Journal, host: Host): Promise<void> {
  for (const step of journal.undo) {
    if (step.do !== 'restart-sshd' && !isSo(step, host)) await runStep(step, host)
  }
  await runStep({ do: 'check-config', why: 'undone' }, host)
  if (journal.restarted) {
    for (const step of journal.undo) {
      if (step.do === 'restart-sshd') await host.service.restart('undo')
    }
  }
  clearJournal(host)
}

/** Undoes what a run left that was killed, and clears its litter; says whether there was any. */
export async function recover(host: Host): Promise<boolean> {
  const journal = readJournal(host)
  const { stateFile, statusFile, restarts, journal: own, caFile, dropIn } = host.layout
  const paths = [stateFile, statusFile, restarts, own, caFile, dropIn].map(({ path }) => path)
  const touched = journal?.undo.flatMap(step => ('path' in step ? [step.path] : [])) ?? []
  for (const path of new Set([...paths, ...touched])) clearLitter(host, path)
  if (journal === undefined) return false
  await rollBack(journal, host)
  return true
}

// Undoing what was never done would give an untouched file another inode and time.
function isSo(step: Step, { fs, at }: Host): boolean {
  if (step.do !== 'write-file') return false
  const state = lookAt(fs, at(step.path))
  return (
    state.kind === 'file' &&
    state.content.equals(step.content) &&
    state.mode === step.mode &&
    state.uid === step.uid &&
    state.gid === step.gid
  )
}

function clearLitter({ fs, at }: Host, path: string): void {
  const temporary = temporaryName(at(path))
  if (lookAt(fs, temporary).kind !== 'missing') removeFile(fs, temporary)
}
