/** What limits a signer (ssh-keygen(1), ALLOWED SIGNERS). */
export interface SignerOptions {
  /** A pattern-list. */
  namespaces?: string
  validAfter?: Date
  validBefore?: Date
}

/** A wall-clock time (month from 1) on this host, which is for the caller to know. */
export type LocalTime = (
  ...parts: [year: number, month: number, day: number, hour: number, minute: number, second: number]
) => Date

type Fault = { fault: string }

// A quote behind a backslash never ends a value, not even where the rest would make sense then.
const OPTION = /^([A-Za-z-]+)(?:="((?:\\"|\\(?!")|[^"\\])*)")?(?:,(?=.)|$)/

/** Reads `name="value",…`; names in any case, each at most once. */
export function parseOptions(text: string, localTime: LocalTime): SignerOptions | Fault {
  const options: SignerOptions = {}
  const seen = new Set<string>()
  let rest = text
  while (rest !== '') {
    const match = OPTION.exec(rest)
    if (match === null) return { fault: 'the options are name="value" with commas between' }
    const [whole, given = '', quoted] = match
    const name = given.toLowerCase()
    if (seen.has(name)) return { fault: `"${name}" is given twice` }
    seen.add(name)
    const fault = readOption(name, quoted?.replaceAll('\\"', '"'), options, localTime)
    if (fault !== undefined) return fault
    rest = rest.slice(whole.length)
  }
  const { validAfter, validBefore } = options
  if (validAfter !== undefined && validBefore !== undefined && validBefore <= validAfter) {
    return { fault: 'valid-before is not after valid-after' }
  }
  return options
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
  options[name === 'valid-after' ? 'validAfter' : 'validBefore'] = time
  return undefined
}

function parseTime(text: string, localTime: LocalTime): Date | undefined {
  const match = /^(\d{4})(\d\d)(\d\d)(?:(\d\d)(\d\d)(\d\d)?)?(z|utc)?$/i.exec(text)
  if (match === null) return undefined
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match
    .slice(1, 7)
    .map(part => Number(part ?? 0))
  const utc = new Date(Date.UTC(year, month - 1, day, hour, minute, second))
  // No 30 February, no 25 o'clock: what does not exist would be read as another time.
  const digits = utc.toISOString().replace(/\D/g, '').slice(0, 14)
  if (digits !== text.replace(/\D/g, '').padEnd(14, '0')) return undefined
  return match[7] === undefined ? localTime(year, month, day, hour, minute, second) : utc
}
