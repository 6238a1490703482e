import { optional } from '../basics/when-defined.ts'
import type { Proof } from './trust-proofs.ts'

/** One step of a plan: plain data, printed by `plan` and run by `apply`, the same list. */
export type Step =
  | { do: 'make-folder'; path: string; mode: number; why: string }
  | {
      do: 'write-file'
      path: string
      content: Buffer
      mode: number
      uid: number
      gid: number
      /** The owner changes by right, from or to what was there before us: undone, so does the owner. */
      found?: true
      /** sshd refuses every key without it, once it has read its name: the list of revoked keys. */
      vital?: true
      why: string
    }
  /** `vital`, undoing the step that wrote it: not before sshd has read the configuration without it. */
  | { do: 'remove-file'; path: string; vital?: true; why: string }
  | { do: 'remove-folder'; path: string; why: string }
  | { do: 'check-config'; why: string }
  | {
      do: 'prove-trust'
      caFile: string
      /** By any of these names sshd refuses what is revoked, and by no other. */
      revokedKeys?: readonly string[]
      proofs: readonly Proof[]
      why: string
    }
  | { do: 'restart-sshd'; unit: string; reason: 'config' | 'rotation' | 'undo'; why: string }

/** A step as reports show it: what, where and why, without the bytes. */
export interface StepReport {
  do: Step['do']
  path?: string
  unit?: string
  /** The program that a step asks, where it asks one. */
  command?: string
  why: string
}

/** What a step does, in a word or two. */
export const VERBS: Record<Step['do'], string> = {
  'make-folder': 'make folder',
  'write-file': 'write',
  'remove-file': 'remove',
  'remove-folder': 'remove folder',
  'check-config': 'check',
  'prove-trust': 'prove',
  'restart-sshd': 'restart',
}

export function reportStep(step: Step): StepReport {
  return {
    do: step.do,
    ...('path' in step ? { path: step.path } : {}),
    ...('unit' in step ? { unit: step.unit } : {}),
    ...optional('command', COMMANDS.get(step.do)),
    why: step.why,
  }
}

const COMMANDS: ReadonlyMap<Step['do'], string> = new Map([
  ['check-config', 'sshd -t'],
  ['prove-trust', 'sshd -t, sshd -T'],
])
