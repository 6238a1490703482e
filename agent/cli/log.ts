import { type Logger, pino } from 'pino'
import type { Outcome } from '../core/outcome.ts'
import type { CycleEnd } from '../daemon/cycle.ts'
import type { Hint } from '../daemon/daemon.ts'

/**
 * The log on standard error: a JSON object a line, as the journal keeps it, or readable text on a
 * terminal. Synchronous, since the last line before the end is the one that is wanted.
 */
export async function openLog(): Promise<Logger> {
  const options = {
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (level: string) => ({ level }) },
  }
  if (!process.stderr.isTTY) return pino(options, pino.destination({ fd: 2, sync: true }))
  const { default: pretty } = await import('pino-pretty')
  return pino(options, pretty({ destination: 2, sync: true, ignore: 'pid,hostname' }))
}

/** A clock further off than this makes Pomerium's certificates fail, which begin a minute ago. */
const SKEW_SECONDS = 30

/** A line for each cycle that changed something or could not; none for quiet ones above debug. */
export function logEnd(
  log: Logger,
  { outcome, quiet, clockSkewSeconds = 0 }: CycleEnd,
  hint: Hint,
): void {
  const fields = { hint, ...summary(outcome) }
  if (quiet) log.debug(fields, outcome.message)
  else if (outcome.outcome === 'applied') log.info(fields, outcome.message)
  else log.warn(fields, outcome.message)
  if (Math.abs(clockSkewSeconds) > SKEW_SECONDS) {
    const message = `the source's clock is ${clockSkewSeconds} s off ours; a slow clock refuses every certificate`
    log.warn({ clockSkewSeconds }, message)
  }
}

function summary({ outcome, code, serial, trusted }: Outcome) {
  return {
    outcome,
    ...(code === undefined ? {} : { code }),
    ...(serial === undefined ? {} : { serial }),
    trusted: trusted.map(({ fingerprint }) => fingerprint),
  }
}
