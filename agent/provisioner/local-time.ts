import type { LocalTime } from '../core/allowed-signer-options.ts'

/** Times in a signers file without `Z` are those of the host that reads it (ssh-keygen(1)). */
export const localTime: LocalTime = (year, month, day, hour, minute, second) =>
  new Date(year, month - 1, day, hour, minute, second)
