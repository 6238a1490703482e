import type { LocalTime } from '../../core/trust/allowed-signer-options.ts'

const HOUR_MS = 3_600_000
const HALF_A_YEAR_MS = 183 * 24 * HOUR_MS

/**
 * Times in a signers file without `Z` are those of the host that reads it (ssh-keygen(1)). Where it
 * keeps summer time, ssh-keygen is off by that in one half of the year, and which half is in the hands
 * of the zone's author: a time is any that the clocks of that year could mean by it.
 */
export const localTime: LocalTime = (year, month, day, hour, minute, second) => {
  const wall = Date.UTC(year, month - 1, day, hour, minute, second)
  const around = [-2, -1, 0, 1, 2].map(step => new Date(wall + (step * HALF_A_YEAR_MS) / 2))
  const times = around.map(date => wall + date.getTimezoneOffset() * 60_000)
  return { earliest: new Date(Math.min(...times)), latest: new Date(Math.max(...times)) }
}
