import { describe, test } from 'vitest'

/**
 * `describe`, for tests that need what not every machine has. Where it is missing they are skipped
 * with the reason in the name; in CI that is a failure.
 */
export function describeTier(
  name: string,
  tier: { ok: true } | { ok: false; why: string },
  body: () => void,
): void {
  if (tier.ok) {
    describe(name, body)
  } else if (process.env.CI) {
    test(name, () => {
      throw new Error(`cannot run in this CI: ${tier.why}`)
    })
  } else {
    describe.skip(`${name} (skipped: ${tier.why})`, body)
  }
}
