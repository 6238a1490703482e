import { type Logger, pino } from 'pino'
import { optional } from '../../core/basics/when-defined.ts'
import type { Outcome } from '../../core/outcome/outcome.ts'
import { describeSkew } from '../../core/report/clock-skew.ts'
import type { Hint } from '../../daemon/cycle/hinted-cycles.ts'
import type { CycleEnd } from '../../daemon/cycle/run-cycle.ts'

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

/**
 * A line for each cycle that changed something or could not; none for quiet ones above debug. What to
 * filter by: `event`, `hint`, `outcome`, `code`, `serial`, `fingerprints`.
 */
export function logEnd(
  log: Logger,
  { outcome, quiet, clockSkewSeconds = 0 }: CycleEnd,
  hint: Hint,
): void {
  const fields = { event: hint === 'drift' ? 'repair' : 'cycle', hint, ...summary(outcome) }
  if (quiet) log.debug(fields, outcome.message)
  else if (outcome.outcome === 'applied') log.info(fields, outcome.message)
  else log.warn(fields, outcome.message)
  const skew = describeSkew(clockSkewSeconds)
  if (skew !== undefined) log.warn({ event: 'clock-skew', clockSkewSeconds }, skew)
}

function summary({ outcome, code, line, serial, service, warnings, trusted }: Outcome) {
  return {
    outcome,
    ...optional('code', code),
    ...optional('line', line),
    ...optional('serial', serial),
    ...optional('service', service),
    ...optional('warnings', warnings),
    fingerprints: trusted.map(({ fingerprint }) => fingerprint),
  }
}
