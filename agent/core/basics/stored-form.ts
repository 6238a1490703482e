/**
 * The form of what is read back from a file: whether a value that `JSON.parse` gave is of a type. A
 * damaged file may hold anything that parses, so that every field is looked at, own properties alone.
 */
export type Form<T> = (value: unknown) => value is T

type Forms = Readonly<Record<string, Form<unknown>>>
type Of<F> = F extends Form<infer T> ? T : never
type Fields<R extends Forms, O extends Forms> = { [K in keyof R]: Of<R[K]> } & {
  [K in keyof O]?: Of<O[K]>
}

export const text: Form<string> = value => typeof value === 'string'

export const flag: Form<boolean> = value => typeof value === 'boolean'

/** A whole number from 0. */
export const count: Form<number> = (value): value is number =>
  Number.isSafeInteger(value) && (value as number) >= 0

export const number: Form<number> = (value): value is number => Number.isFinite(value)

/** A time as `Date.toISOString` writes it. */
export const time: Form<string> = (value): value is string =>
  typeof value === 'string' && /^[+-]?\d/.test(value) && Number.isFinite(Date.parse(value))

/** Bytes, as `Buffer.toString('base64')` writes them. */
export const base64: Form<string> = (value): value is string =>
  typeof value === 'string' && Buffer.from(value, 'base64').toString('base64') === value

/** An absolute path. */
export const path: Form<string> = (value): value is string =>
  typeof value === 'string' && value.startsWith('/') && !value.includes('\0')

export function oneOf<const T extends string | number | boolean>(...all: T[]): Form<T> {
  return (value): value is T => all.some(each => each === value)
}

export function listOf<T>(form: Form<T>): Form<T[]> {
  return (value): value is T[] => Array.isArray(value) && value.every(each => form(each))
}

/** An object whose names are not ours to say. */
export function mapOf<T>(form: Form<T>): Form<Record<string, T>> {
  return (value): value is Record<string, T> =>
    isObject(value) && Object.values(value).every(each => form(each))
}

/** An object with these fields; others, of a later version, are not looked at. */
export function shape<R extends Forms, O extends Forms = Record<never, never>>(
  required: R,
  optional?: O,
): Form<Fields<R, O>> {
  return (value): value is Fields<R, O> =>
    isObject(value) &&
    Object.entries(required).every(([name, form]) => has(value, name) && form(value[name])) &&
    Object.entries(optional ?? {}).every(([name, form]) => !has(value, name) || form(value[name]))
}

/** What a text of JSON holds, where that is of the form; else `undefined`. */
export function parseForm<T>(json: string, form: Form<T>): T | undefined {
  try {
    const value: unknown = JSON.parse(json)
    return form(value) ? value : undefined
  } catch {
    return undefined
  }
}

const has = (value: object, name: string) => Object.hasOwn(value, name)

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
