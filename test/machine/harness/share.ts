import { campaignIsWhole } from '../../campaign.ts'
import { type Suite, suites } from './base.ts'

/**
 * The rows of a table that are run on `suite`: in `npm test` each row on one of its suites, the next on the
 * next, and in a whole campaign each on all of them. `of` gives the suites of a row.
 */
export function shareOf<T>(
  suite: Suite,
  rows: readonly T[],
  of: (row: T) => readonly Suite[] = () => suites,
): T[] {
  return rows.filter((row, at) => {
    const its = of(row)
    return campaignIsWhole ? its.includes(suite) : its[at % its.length] === suite
  })
}

/** The suites that tests run on: in `npm test` those of the slice, in a whole campaign all. */
export function suitesFor(of: { slice: readonly Suite[] }): readonly Suite[] {
  return campaignIsWhole ? suites : of.slice
}
