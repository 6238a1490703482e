/**
 * How many are remembered: sixteen a bundle, and a bundle a day, for most of a year; a publisher
 * that runs wild must not grow the state file beyond what is read back (1 MiB).
 */
const MOST = 4096

/**
 * The fingerprints of all keys that ever came to this host by a bundle, those of the latest last;
 * beyond some thousand the oldest are forgotten.
 */
export function rememberPublished(before: readonly string[], latest: readonly string[]): string[] {
  const now = new Set(latest)
  return [...before.filter(each => !now.has(each)), ...now].slice(-MOST)
}
