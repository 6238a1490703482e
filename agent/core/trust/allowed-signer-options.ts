/** What limits a signer (ssh-keygen(1), ALLOWED SIGNERS). */
export interface SignerOptions {
  /** A pattern-list. */
  namespaces?: string
  validAfter?: Date
  validBefore?: Date
  /** As they stand, but for the times. */
  untimed: string
  /** Set where a time is given without `Z`. */
  inLocalTime?: true
}

/**
 * When a wall-clock time (month from 1) may be on this host, which is for the caller to know: at the
 * earliest and at the latest, since ssh-keygen takes no notice of summer time.
 */
export type LocalTime = (
  ...parts: [year: number, month: number, day: number, hour: number, minute: number, second: number]
) => { earliest: Date; latest: Date }

type Fault = { fault: string }

/** What is wrong where they are anything else. */
export const OPTIONS_FORM = 'the options are name="value" with commas between, and no blanks'

// A quote behind a backslash never ends a value, not even where the rest would make sense then.
const OPTION = /^([A-Za-z-]+)(?:="((?:\\"|\\(?!")|[^"\\])*)")?(?:,(?=.)|$)/

/** Reads `name="value",…`; names in any case, each at most once. */
export function parseOptions(text: string, localTime: LocalTime): SignerOptions | Fault {
  const options: SignerOptions = { untimed: '' }
  const seen = new Set<string>()
  const untimed: string[] = []
  let rest = text
  while (rest !== '') {
    const match = OPTION.exec(rest)
    if (match === null) return { fault: OPTIONS_FORM }
    const [whole, given = '', quoted] = match
    const name = given.toLowerCase()
    if (seen.has(name)) return { fault: `"${name}" is given twice` }
    seen.add(name)
    const fault = readOption(name, quoted?.replaceAll('\\"', '"'), options, localTime)
    if (fault !== undefined) return fault
    if (name === 'namespaces') untimed.push(whole.replace(/,$/, ''))
    rest = rest.slice(whole.length)
  }
  const { validAfter, validBefore } = options
  if (validAfter !== undefined && validBefore !== undefined && validBefore <= validAfter) {
    return { fault: 'valid-before is not after valid-after' }
  }
  return { ...options, untimed: untimed.join(',') }
}

function readOption(
  name: string,
  value: string | undefined,
  options: SignerOptions,
  localTime: LocalTime,
): Fault | undefined {
  if (name === 'cert-authority') {
    return { fault: 'cert-authority is not supported: name the key that signs itself' }
  }
  if (value === undefined) return { fault: `"${name}" is no option, or wants a value in quotes` }
  if (name === 'namespaces') {
    options.namespaces = value
    return undefined
  }
  if (name !== 'valid-after' && name !== 'valid-before') return { fault: `no option "${name}"` }
  const time = parseTime(value, localTime)
  if (time === undefined) {
    return { fault: `${name} must be YYYYMMDD, YYYYMMDDHHMM or YYYYMMDDHHMMSS, with Z for UTC` }
  }
  // To ssh-keygen 1970 is no limit, and what comes before it the far future.
  if (time.earliest.getTime() <= 0) return { fault: `${name} must be after 1970` }
  if (name === 'valid-after') options.validAfter = time.latest
  else options.validBefore = time.earliest
  if (!IN_UTC.test(value)) options.inLocalTime = true
  return undefined
}

const IN_UTC = /(z|utc)$/i

function parseTime(text: string, localTime: LocalTime): ReturnType<LocalTime> | undefined {
  const match = /^(\d{4})(\d\d)(\d\d)(?:(\d\d)(\d\d)(\d\d)?)?$/.exec(text.replace(IN_UTC, ''))
  if (match === null) return undefined
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match
    .slice(1, 7)
    .map(part => Number(part ?? 0))
  const utc = new Date(Date.UTC(year, month - 1, day, hour, minute, second))
  // No 30 February, no 25 o'clock: what does not exist would be read as another time.
  const digits = utc.toISOString().replace(/\D/g, '').slice(0, 14)
  if (digits !== text.replace(/\D/g, '').padEnd(14, '0')) return undefined
  if (IN_UTC.test(text)) return { earliest: utc, latest: utc }
  return localTime(year, month, day, hour, minute, second)
}
