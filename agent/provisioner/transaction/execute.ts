import type { Step } from '../../core/host/step.ts'
import { failedTo } from '../../core/outcome/failures.ts'
import { invertStep } from '../../core/plan/invert-step.ts'
import { lookAt } from '../files/read-file-state.ts'
import type { Host } from '../host/host.ts'
import { clearJournal, type Journal, writeJournal } from './journal.ts'
import { rollBack } from './roll-back.ts'
import { runStep } from './run-step.ts'

export type Execution =
  | { kind: 'done'; restart: 'none' | 'restarted' | 'deferred' }
  | { kind: 'rolled-back'; cause: unknown }
  | { kind: 'rollback-failed'; cause: unknown; rollbackCause: unknown }

/** Told at each instant between two changes of the host, with a name for it. */
export type OnInstant = (instant: string) => void

/**
 * Runs the steps in order, then `commit`, all or nothing. The journal with their inverse is on disk
 * from before the first until after the last: a failure undoes everything at once, and a run that
 * is killed is undone by the next (`recover`).
 */
export async function execute(
  steps: readonly Step[],
  host: Host,
  commit: (restart: 'none' | 'restarted' | 'deferred') => void,
  onInstant: OnInstant = () => {},
): Promise<Execution> {
  let journal: Journal = { version: 1, undo: undoOf(steps, host), restarted: false }
  if (steps.length === 0) return commitAlone(commit, journal, host)
  try {
    onInstant('start')
    writing(host.layout.journal.path, () => writeJournal(host, journal))
    onInstant('journal')
    let restart: 'none' | 'restarted' | 'deferred' = 'none'
    for (const [index, step] of steps.entries()) {
      if (step.do === 'restart-sshd') {
        const restarted = { ...journal, restarted: true }
        writing(host.layout.journal.path, () => writeJournal(host, restarted))
        journal = restarted
        onInstant(`before ${index} ${step.do}`)
        restart = await host.service.restart(step.reason)
      } else {
        onInstant(`before ${index} ${step.do}`)
        await runStep(step, host)
      }
      onInstant(`after ${index} ${step.do}`)
    }
    writing(host.layout.stateFile.path, () => commit(restart))
    onInstant('commit')
    clearJournal(host)
    onInstant('end')
    return { kind: 'done', restart }
  } catch (cause) {
    return rollBackAfter(cause, journal, host)
  }
}

// One file at most, which is old or new by itself: a journal would hold nothing that it does not.
async function commitAlone(
  commit: (restart: 'none') => void,
  journal: Journal,
  host: Host,
): Promise<Execution> {
  try {
    writing(host.layout.stateFile.path, () => commit('none'))
    return { kind: 'done', restart: 'none' }
  } catch (cause) {
    return rollBackAfter(cause, journal, host)
  }
}

// What the transaction itself keeps fails as a step does: with its name.
function writing(path: string, write: () => void): void {
  try {
    write()
  } catch (cause) {
    throw failedTo(`write ${path}`, cause)
  }
}

async function rollBackAfter(cause: unknown, journal: Journal, host: Host): Promise<Execution> {
  try {
    await rollBack(journal, host)
    return { kind: 'rolled-back', cause }
  } catch (rollbackCause) {
    // The journal stays: the next run tries again.
    return { kind: 'rollback-failed', cause, rollbackCause }
  }
}

// What commit writes is undone too, or the memory of a rotation would outlive its keys.
function undoOf(steps: readonly Step[], host: Host): Step[] {
  const look = (path: string) => lookAt(host.fs, host.at(path))
  const undo = steps.map(step => invertStep(step, 'path' in step ? look(step.path) : undefined))
  const own = [host.layout.stateFile, host.layout.stoodDown].map(({ path }) => {
    const before = look(path)
    const why = 'written by commit'
    // A folder, say, is no state of ours, and nothing is written there.
    if (before.kind !== 'file' && before.kind !== 'missing') return []
    return invertStep({ do: 'remove-file', path, why }, before)
  })
  return [...undo, ...own].reverse().flat()
}
