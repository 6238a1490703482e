import { readFileSync } from 'node:fs'
import type { MetricsInput } from '../core/metrics.ts'
import type { Outcome, TrustedKey } from '../core/outcome.ts'
import type { Notes } from './notebook.ts'

/** The provisioner's last report, which anybody may read; `undefined` where there is none. */
export function readReport(statusFile: string): { at: string; outcome: Outcome } | undefined {
  try {
    return JSON.parse(readFileSync(statusFile, 'utf8')) as { at: string; outcome: Outcome }
  } catch {
    return undefined
  }
}

/** The keys that the host trusts, by that report. */
export function trustedBy(statusFile: string): TrustedKey[] {
  return readReport(statusFile)?.outcome.trusted ?? []
}

/** What is told to Prometheus, from the report and from our own notes. */
export function metricsOf(statusFile: string, notes: Notes, version: string): MetricsInput {
  const report = readReport(statusFile)
  const date = (text: string | undefined) => (text === undefined ? undefined : new Date(text))
  return {
    version,
    trusted: report?.outcome.trusted ?? [],
    effective: report && effective(report.outcome),
    serial: report?.outcome.serial,
    lastSuccess: date(notes.lastSuccess),
    lastCycle: date(notes.lastPoll?.at),
    cycles: notes.cycles,
    clockSkewSeconds: notes.clockSkewSeconds,
  }
}

// A cycle that ends well has proved it; one that refuses the host says that it is not so, or unsure.
function effective({ outcome }: Outcome): boolean | undefined {
  if (outcome === 'applied' || outcome === 'unchanged') return true
  return outcome === 'host-refused' ? false : undefined
}
