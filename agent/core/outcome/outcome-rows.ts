import type { Outcome } from './outcome.ts'

// Keys of a record, so that the compiler asks for one that is forgotten.
const NAMES: Record<Outcome['outcome'], true> = {
  unchanged: true,
  applied: true,
  'source-unavailable': true,
  refused: true,
  'host-refused': true,
  'rolled-back': true,
  'rollback-failed': true,
}

/** Every way that a cycle can end. */
export const OUTCOMES = Object.keys(NAMES) as Outcome['outcome'][]
