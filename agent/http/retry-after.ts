import { parseHttpDate } from './http-date.ts'

/** A source may slow its hosts down, but not talk them into never coming back. */
const MAX_RETRY_AFTER_SECONDS = 3600

/** `Retry-After`, RFC 9110 §10.2.3, in seconds from `now`: delta-seconds or an HTTP-date. */
export function parseRetryAfter(value: string | undefined, now: Date): number | undefined {
  if (value === undefined) return undefined
  if (/^\d+$/.test(value)) return Math.min(Number(value), MAX_RETRY_AFTER_SECONDS)
  const date = parseHttpDate(value, now)
  if (!date) return undefined
  const seconds = Math.ceil((date.getTime() - now.getTime()) / 1000)
  return Math.min(Math.max(seconds, 0), MAX_RETRY_AFTER_SECONDS)
}
