// A campaign is the whole of what `npm test` runs a slice of: all rounds, all rows, each on every suite.
// `npm run campaign` runs it of every test, `npm run campaign -- PATH` of some; a file of which the slice is
// small beside the whole is called `*.campaign.test.ts`.

import { randomInt } from 'node:crypto'

const SLICE_SEED = 20_261_121

/** Whether all rounds are run, or a slice of them. */
export const campaignIsWhole = process.env.CAMPAIGN === 'whole'

/** How many rounds are run here. */
export function rounds(of: { slice: number; whole: number }): number {
  return campaignIsWhole ? of.whole : of.slice
}

/**
 * Every row in a whole campaign; in a slice every `step`-th, from one that the seed says. It is printed by
 * `name`, and `CAMPAIGN_SEED=N` repeats it.
 */
export function slice<T>(name: string, rows: readonly T[], step: number): readonly T[] {
  if (campaignIsWhole) return rows
  const { seed } = campaign(name, { slice: Math.ceil(rows.length / step), whole: rows.length })
  return rows.filter((_, at) => at % step === seed % step)
}

/**
 * Parameters for fast-check's `assert`, `check` and `sample`. The seed of a slice is always the same, so
 * that `npm test` fails by what was changed and not by chance; a whole campaign has a new one each time.
 * Both are printed, and `CAMPAIGN_SEED=N` repeats one.
 */
export function campaign(
  name: string,
  of: { slice: number; whole: number },
): { numRuns: number; seed: number } {
  const given = process.env.CAMPAIGN_SEED
  const seed =
    given !== undefined ? Number(given) : campaignIsWhole ? randomInt(2 ** 31) : SLICE_SEED
  const numRuns = rounds(of)
  process.stdout.write(`${name}: ${numRuns} of ${of.whole} rounds, CAMPAIGN_SEED=${seed}\n`)
  return { numRuns, seed }
}
