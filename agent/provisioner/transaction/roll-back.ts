import type { Step } from '../../core/host/step.ts'
import { removeFile, temporaryName } from '../files/atomic-write.ts'
import { errorCode } from '../files/file-system.ts'
import { lookAt } from '../files/read-file-state.ts'
import type { Host } from '../host/host.ts'
import { clearJournal, type Journal, readJournal, writeJournal } from './journal.ts'
import { runStep } from './run-step.ts'

/**
 * Undoes a transaction from wherever it stopped. A restart comes last, since it must find the old
 * files, and only if sshd may have seen the new ones. What an sshd that has seen them can't do without
 * goes after it; somebody else may have started one, so that it is not taken away without.
 */
export async function rollBack(
  journal: Journal,
  host: Host,
  restart: (host: Host) => Promise<unknown> = ({ service }) => service.restart('undo'),
): Promise<void> {
  const steps = journal.undo.filter(step => !isSo(step, host))
  const isVital = (step: Step) => step.do === 'remove-file' && step.vital === true
  // The folder of such a file can't go before it.
  const isLast = (step: Step) =>
    isVital(step) || (step.do === 'remove-folder' && steps.some(isVital))
  for (const step of steps) {
    if (step.do !== 'restart-sshd' && !isLast(step)) await undo(step, host)
  }
  await runStep({ do: 'check-config', why: 'undone' }, host)
  const vital = steps.some(isVital)
  const isPlanned = steps.some(step => step.do === 'restart-sshd')
  const isDue = isPlanned ? journal.restarted || vital : vital && (await isUp(host))
  if (isDue) await restart(host)
  for (const step of steps.filter(isLast)) await runStep(step, host)
  clearJournal(host)
}

// None ran when the plan was made, and what was started since may have read the name of the list.
async function isUp({ service }: Host): Promise<boolean> {
  const { kind } = await service.state()
  return kind === 'running' || kind === 'not-ours'
}

// The sandbox gives no file away (CAP_CHOWN). What was found by a name of ours may have been another
// user's; that it is there again counts more than whose it is.
async function undo(step: Step, host: Host): Promise<void> {
  try {
    await runStep(step, host)
  } catch (error) {
    if (step.do !== 'write-file' || errorCode(error) !== 'EPERM') throw error
    await runStep({ ...step, ...host.owner }, host)
  }
}

/** Undoes what a run left that was killed, and clears its litter; says whether there was any. */
export async function recover(host: Host): Promise<boolean> {
  const journal = readJournal(host)
  const { stateFile, stoodDown, statusFile, restarts, journal: own } = host.layout
  const { caFile, revokedKeys, dropIn } = host.layout
  const places = [stateFile, stoodDown, statusFile, restarts, own, caFile, revokedKeys, dropIn]
  const paths = places.map(({ path }) => path)
  const touched = journal?.undo.flatMap(step => ('path' in step ? [step.path] : [])) ?? []
  for (const path of new Set([...paths, ...touched])) clearLitter(host, path)
  if (journal === undefined) return false
  await rollBack(whatMayHaveBeenRead(journal, host), host, restartAfterKill)
  return true
}

// Before we came again a boot or a person may have started sshd, which has read what is to be undone.
// Written down first: once it is undone, nothing else would tell.
function whatMayHaveBeenRead(journal: Journal, host: Host): Journal {
  const isUndone = journal.undo.every(step => step.do === 'restart-sshd' || isSo(step, host))
  if (journal.restarted || isUndone) return journal
  const restarted = { ...journal, restarted: true }
  writeJournal(host, restarted)
  return restarted
}

// Whoever kills us may do so again and again: where sshd answers, its restart keeps to the budget.
async function restartAfterKill({ service }: Host): Promise<void> {
  const { kind } = await service.state()
  await service.restart(kind === 'running' ? 'config' : 'undo')
}

// Undoing what was never done would give an untouched file another inode and time.
function isSo(step: Step, { fs, at }: Host): boolean {
  if (!('path' in step)) return false
  const state = lookAt(fs, at(step.path))
  if (step.do !== 'write-file') return (state.kind === 'missing') === step.do.startsWith('remove')
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
