import { EXIT } from './exit-codes.ts'

interface OutcomeRow {
  exit: number
  /** What did not do its part; absent where the host is as the source wants it. */
  failed?: 'source' | 'host' | 'step'
}

/** Every way that a cycle can end, once. */
export const OUTCOMES = {
  unchanged: { exit: EXIT.converged },
  applied: { exit: EXIT.converged },
  'source-unavailable': { exit: EXIT.sourceUnavailable, failed: 'source' },
  refused: { exit: EXIT.bundleRefused, failed: 'source' },
  'host-refused': { exit: EXIT.hostRefused, failed: 'host' },
  'rolled-back': { exit: EXIT.rolledBack, failed: 'step' },
  'rollback-failed': { exit: EXIT.rollbackFailed, failed: 'step' },
} as const satisfies Record<string, OutcomeRow>

export type OutcomeName = keyof typeof OUTCOMES

export const OUTCOME_NAMES = Object.keys(OUTCOMES) as OutcomeName[]

interface Ended {
  outcome: OutcomeName
}

export function exitCodeOf({ outcome }: Ended): number {
  return OUTCOMES[outcome].exit
}

export function failureOf({ outcome }: Ended): OutcomeRow['failed'] {
  return (OUTCOMES[outcome] as OutcomeRow).failed
}

export function isGood(end: Ended): boolean {
  return failureOf(end) === undefined
}
