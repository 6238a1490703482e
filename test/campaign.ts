// A campaign is a test of very many rounds: a slice of it in `npm test`, all of it in
// `npm run campaign`. Its files are called `*.campaign.test.ts`.

import { randomInt } from 'node:crypto'

const whole = process.env.CAMPAIGN === 'whole'

/** How many rounds are run here. */
export function rounds(of: { slice: number; whole: number }): number {
  return whole ? of.whole : of.slice
}

/**
 * Parameters for fast-check's `assert`, `check` and `sample`. The seed is new in each run and is
 * printed; `CAMPAIGN_SEED=N` repeats one.
 */
export function campaign(
  name: string,
  of: { slice: number; whole: number },
): { numRuns: number; seed: number } {
  const given = process.env.CAMPAIGN_SEED
  const seed = given === undefined ? randomInt(2 ** 31) : Number(given)
  const numRuns = rounds(of)
  process.stdout.write(`${name}: ${numRuns} of ${of.whole} rounds, CAMPAIGN_SEED=${seed}\n`)
  return { numRuns, seed }
}
