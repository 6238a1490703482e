import { plainText } from '../../core/basics/plain-text.ts'
import type { Outcome, TrustedKey } from '../../core/outcome/outcome.ts'
import { OUTCOME_NAMES } from '../../core/outcome/outcome-rows.ts'

/** What is read of a host's outcome; nothing else of it is gone by. */
export interface HostOutcome
  extends Pick<Outcome, 'outcome' | 'code' | 'message' | 'revoked' | 'serial' | 'service'> {
  trusted: TrustedKey[]
}

/** More than a bundle and an adopted file of 64 KiB can hold. */
const MOST_KEYS = 1024

// Even of the host's own word only what has the form of an outcome is taken, and rebuilt.
export function readOutcome(text: string): HostOutcome | undefined {
  const read = record(parseJson(text))
  if (read === undefined) return undefined
  const { message, trusted, revoked, code, serial, service } = read
  const outcome = OUTCOME_NAMES.find(each => each === read.outcome)
  if (outcome === undefined || typeof message !== 'string') return undefined
  const keys = readKeys(trusted)
  const dead = revoked === undefined ? undefined : readKeys(revoked)
  if (keys === undefined || (revoked !== undefined && dead === undefined)) return undefined
  if (code !== undefined && !isCode(code)) return undefined
  if (serial !== undefined && !isSerial(serial)) return undefined
  const restart = service === undefined ? undefined : readService(service)
  if (service !== undefined && restart === undefined) return undefined
  return {
    outcome,
    ...(code === undefined ? {} : { code }),
    message: plainText(message),
    trusted: keys,
    ...(dead === undefined ? {} : { revoked: dead }),
    ...(serial === undefined ? {} : { serial }),
    ...(restart === undefined ? {} : { service: restart }),
  }
}

/** The keys that a host names; `undefined` where one of them is none. */
export function readKeys(values: unknown): TrustedKey[] | undefined {
  if (!Array.isArray(values) || values.length > MOST_KEYS) return undefined
  const keys = values.map(readKey)
  const whole = keys.filter(key => key !== undefined)
  return whole.length < keys.length ? undefined : whole
}

/** A key as a host names it; `undefined` where it is none. */
export function readKey(value: unknown): TrustedKey | undefined {
  const { type, fingerprint, comment, adopted } = record(value) ?? {}
  const isKey =
    typeof type === 'string' &&
    /^[a-z][\w.@-]{1,63}$/.test(type) &&
    typeof fingerprint === 'string' &&
    /^SHA256:[A-Za-z0-9+/]{1,43}$/.test(fingerprint) &&
    typeof comment === 'string' &&
    (adopted === undefined || typeof adopted === 'string')
  if (!isKey) return undefined
  const key = { type, fingerprint, comment: plainText(comment) }
  return adopted === undefined ? key : { ...key, adopted: plainText(adopted) }
}

function readService(value: unknown): Outcome['service'] {
  const { unit, action } = record(value) ?? {}
  const isAction = action === 'restarted' || action === 'deferred' || action === 'none'
  return typeof unit === 'string' && isAction ? { unit: plainText(unit), action } : undefined
}

export const isCode = (value: unknown): value is string =>
  typeof value === 'string' && /^[\w-]{1,64}$/.test(value)

const isSerial = (value: unknown): value is number =>
  Number.isSafeInteger(value) && Number(value) >= 0

export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

export function record(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null
    ? (value as Record<string, unknown>)
    : undefined
}
