/** What a bundle says of itself in `# name: value` lines before its first key. */
export interface Headers {
  /** Counts publications; a host never goes back to a lower one. */
  serial?: number
  issued?: Date
  expires?: Date
}

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
  const name = match?.[1]?.toLowerCase()
  if (name !== 'serial' && name !== 'issued' && name !== 'expires') return undefined
  if (headers[name] !== undefined) {
    return { code: 'duplicate-header', message: `"${name}" is given twice` }
  }
  const value = match?.[2]?.trim() ?? ''
  if (name === 'serial') {
    const serial = parseSerial(value)
    if (serial === undefined) {
      return { code: 'malformed-header', message: '"serial" must be a whole number, 0 or more' }
    }
    headers.serial = serial
  } else {
    const date = parseTimestamp(value)
    if (date === undefined) {
      return {
        code: 'malformed-header',
        message: `"${name}" must be a time like 2026-11-20T10:00:00Z (RFC 3339)`,
      }
    }
    headers[name] = date
  }
  return undefined
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
