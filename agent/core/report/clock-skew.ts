/** A clock further off than this makes Pomerium's certificates fail, which begin a minute ago. */
const MOST_SKEW_SECONDS = 30

/** What to tell a person of the source's clock less ours; `undefined` where the two agree. */
export function describeSkew(seconds: number): string | undefined {
  if (Math.abs(seconds) <= MOST_SKEW_SECONDS) return undefined
  const way = seconds > 0 ? 'behind' : 'ahead of'
  return `this host's clock is ${Math.abs(seconds)} s ${way} the source's; see timedatectl: certificates fail on a clock that is a minute slow`
}
