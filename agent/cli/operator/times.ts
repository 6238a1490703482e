import { parseTimestamp } from '../../core/bundle/headers.ts'
import { UsageError } from '../terminal/invocation.ts'

const UNIT_MS: Record<string, number> = { d: 86_400_000, h: 3_600_000, m: 60_000 }

/** `30d`, `12h` or `1d12h`, in milliseconds. */
export function parseSpan(flag: string, text: string): number {
  if (!/^(\d{1,5}[dhm])+$/.test(text))
    throw new UsageError(`${flag} must be a span like 30d or 12h`)
  return [...text.matchAll(/(\d+)([dhm])/g)].reduce(
    (sum, [, count, unit]) => sum + Number(count) * (UNIT_MS[unit ?? ''] ?? 0),
    0,
  )
}

export function parseTime(flag: string, text: string): Date {
  const date = parseTimestamp(text)
  if (date === undefined) throw new UsageError(`${flag} must be a time like 2026-11-20T10:00:00Z`)
  return date
}
