const UNITS: readonly [seconds: number, name: string][] = [
  [86_400, 'days'],
  [3_600, 'h'],
  [60, 'min'],
  [1, 's'],
]

/** A length of time as a person says it: one unit, the largest of which there are two or more. */
export function formatSpan(milliseconds: number): string {
  const seconds = Math.round(Math.abs(milliseconds) / 1000)
  const [unit, name] = UNITS.find(([length]) => seconds >= 2 * length) ?? [1, 's']
  return `${Math.floor(seconds / unit)} ${name}`
}

/** How long ago, or in how long. */
export function formatDistance(from: Date, now: Date): string {
  const ms = from.getTime() - now.getTime()
  return ms > 0 ? `in ${formatSpan(ms)}` : `${formatSpan(ms)} ago`
}

/** A time for people, in UTC, to the minute. */
export function formatTime(date: Date): string {
  return `${date.toISOString().slice(0, 16).replace('T', ' ')}Z`
}

// systemd.time(7), as format_timespan() prints them; a month is 30.44 days there.
const SECONDS: ReadonlyMap<string, number> = new Map([
  ['y', 31_557_600],
  ['month', 2_629_800],
  ['w', 604_800],
  ['d', 86_400],
  ['h', 3_600],
  ['min', 60],
  ['s', 1],
  ['ms', 1e-3],
  ['us', 1e-6],
])

/** Reads a length of time as systemctl prints it (`1h 2min 3.5s`, `infinity`), in milliseconds. */
export function parseTimespan(text: string): number | undefined {
  if (text === 'infinity') return Number.POSITIVE_INFINITY
  if (text === '0') return 0
  const parts = text.trim().split(/\s+/)
  let seconds = 0
  for (const part of parts) {
    const [, number = '', unit = ''] = /^(\d+(?:\.\d+)?)([a-z]+)$/.exec(part) ?? []
    const length = SECONDS.get(unit)
    if (length === undefined) return undefined
    seconds += Number(number) * length
  }
  return seconds * 1000
}
