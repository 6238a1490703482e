const DAY = '(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)'
const TIME = '(\\d{2}):(\\d{2}):(\\d{2})'
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const MONTH = `(${MONTHS.join('|')})`

const IMF = new RegExp(`^${DAY}, (\\d{2}) ${MONTH} (\\d{4}) ${TIME} GMT$`)
const RFC850 = new RegExp(`^[A-Z][a-z]+day, (\\d{2})-${MONTH}-(\\d{2}) ${TIME} GMT$`)
const ASCTIME = new RegExp(`^${DAY} ${MONTH} ([ \\d]\\d) ${TIME} (\\d{4})$`)

/** Reads an HTTP-date, RFC 9110 §5.6.7, in its three forms. Date.parse takes far more, and some in local time. */
export function parseHttpDate(text: string, now: Date): Date | undefined {
  const imf = IMF.exec(text)
  if (imf) return utc(imf[3], imf[2], imf[1], imf.slice(4))
  const rfc850 = RFC850.exec(text)
  if (rfc850) return utc(fullYear(Number(rfc850[3]), now), rfc850[2], rfc850[1], rfc850.slice(4))
  const asctime = ASCTIME.exec(text)
  if (asctime) return utc(asctime[6], asctime[1], asctime[2], asctime.slice(3, 6))
  return undefined
}

/** "appears to be more than 50 years in the future": then it is the last century's. */
function fullYear(twoDigits: number, now: Date): number {
  const year = now.getUTCFullYear()
  const guess = year - (year % 100) + twoDigits
  return guess > year + 50 ? guess - 100 : guess
}

function utc(
  year: string | number | undefined,
  month: string | undefined,
  day: string | undefined,
  time: string[],
): Date | undefined {
  const [hours, minutes, seconds] = time.map(Number)
  const date = new Date(0)
  date.setUTCFullYear(Number(year), MONTHS.indexOf(month ?? ''), Number(day))
  // A day that the month does not have rolls over into the next.
  if (date.getUTCDate() !== Number(day)) return undefined
  if ((hours ?? 24) > 23 || (minutes ?? 60) > 59 || (seconds ?? 61) > 60) return undefined
  date.setUTCHours(hours ?? 0, minutes, seconds)
  return date
}
