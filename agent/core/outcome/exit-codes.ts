/** Every exit code, of any command. */
export const EXIT = {
  converged: 0,
  bug: 1,
  usage: 2,
  sourceUnavailable: 3,
  bundleRefused: 4,
  hostRefused: 5,
  rolledBack: 6,
  rollbackFailed: 7,
  /** `status`: not well. */
  notWell: 8,
  /** `bundle notify`, `rotate` and `status`: not every host has converged. */
  hostsMissing: 9,
  planHasChanges: 10,
  /** `bundle rotate`: the next step is a person's. */
  operatorNeeded: 11,
} as const
