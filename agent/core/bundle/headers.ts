/** How the value of a header is read and written; `undefined` where it can't be read. */
interface Header<T> {
  read(value: string): T | undefined
  write(value: T): string
  /** What it must be, behind its name. */
  must: string
}

const number: Header<number> = {
  read: parseSerial,
  write: String,
  must: 'must be a whole number, 0 or more',
}

const time: Header<Date> = {
  read: parseTimestamp,
  write: renderTime,
  must: 'must be a time like 2026-11-20T10:00:00Z (RFC 3339)',
}

/** Every header that a bundle may have, in the order in which they are written. */
const HEADERS = {
  /** Counts publications; a host never goes back to a lower one. */
  serial: number,
  issued: time,
  expires: time,
} as const

export type HeaderName = keyof typeof HEADERS

/** What a bundle says of itself in `# name: value` lines before its first key. */
export type Headers = {
  -readonly [N in HeaderName]?: (typeof HEADERS)[N] extends Header<infer T> ? T : never
}

export const HEADER_NAMES = Object.keys(HEADERS) as HeaderName[]

export type HeaderRefusalCode = 'malformed-header' | 'duplicate-header'

/**
 * Reads one comment line into `headers`. Unknown names and plain comments are passed over; a known
 * name with a value that can't be read, or given twice, is refused: guessing here would be trust.
 */
export function parseHeader(
  line: string,
  headers: Headers,
): { code: HeaderRefusalCode; message: string } | undefined {
  const match = /^#\s*([A-Za-z][A-Za-z0-9-]*)\s*:\s*(.*)$/.exec(line)
  const name = HEADER_NAMES.find(each => each === match?.[1]?.toLowerCase())
  if (name === undefined) return undefined
  if (headers[name] !== undefined) {
    return { code: 'duplicate-header', message: `"${name}" is given twice` }
  }
  const value = HEADERS[name].read(match?.[2]?.trim() ?? '')
  if (value === undefined) {
    return { code: 'malformed-header', message: `"${name}" ${HEADERS[name].must}` }
  }
  Object.assign(headers, { [name]: value })
  return undefined
}

/** The lines of a bundle that say this of it. */
export function renderHeaders(headers: Headers): string[] {
  return HEADER_NAMES.flatMap(name => {
    const value = headers[name]
    const { write } = HEADERS[name] as Header<unknown>
    return value === undefined ? [] : [`# ${name}: ${write(value)}`]
  })
}

export function parseSerial(value: string): number | undefined {
  const serial = /^\d{1,16}$/.test(value) ? Number(value) : Number.NaN
  return Number.isSafeInteger(serial) ? serial : undefined
}

/** RFC 3339 §5.6, seconds required; the platform's parser, held to days that exist. */
export function parseTimestamp(value: string): Date | undefined {
  const match = /^(\d{4}-\d\d-\d\d)T\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/.exec(value)
  const day = match?.[1]
  if (day === undefined) return undefined
  const date = new Date(value)
  // V8 reads 30 February as 2 March.
  const midnight = new Date(`${day}T00:00:00Z`)
  if (Number.isNaN(date.getTime()) || Number.isNaN(midnight.getTime())) return undefined
  return midnight.toISOString().startsWith(day) ? date : undefined
}

/** RFC 3339 in UTC, to the second. */
export function renderTime(date: Date): string {
  return date.toISOString().replace(/\.\d+Z$/, 'Z')
}
