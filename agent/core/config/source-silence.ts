import type { Config } from './config.ts'

/** Silence for an hour, or for three polls, is no good sign; who can't read the config waits a day. */
const PATIENCE_MS = { least: 3_600_000, blind: 86_400_000 }

/** For how long nothing may come from the source, in milliseconds. */
export function patienceMs(
  config: { source: Pick<Config['source'], 'pollIntervalSeconds'> } | undefined,
) {
  const { least, blind } = PATIENCE_MS
  return config === undefined
    ? blind
    : Math.max(least, 3 * config.source.pollIntervalSeconds * 1000)
}
