import type { Outcome } from '../../../agent/core/outcome/outcome.ts'

/** The end of a cycle on a host that trusts these. */
export function outcomeWith(
  outcome: Outcome['outcome'],
  fingerprints: readonly string[],
  rest: Partial<Outcome> = {},
): Outcome {
  const trusted = fingerprints.map(fingerprint => ({
    type: 'ssh-ed25519',
    fingerprint,
    comment: '',
  }))
  return { outcome, message: 'told', steps: [], trusted, ...rest }
}
