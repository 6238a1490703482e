import { parseIpAddress } from '../network/ip-address.ts'
import { parseSourceUrl } from '../network/source-url.ts'

/** Reads one value of the YAML file (or of the environment, as text); a text says what is wrong. */
export type SettingType<T> = (value: unknown) => { value: T } | { problem: string }

const text = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined

export const sourceUrl: SettingType<URL> = value => parseSourceUrl(text(value) ?? '')

// PATH_MAX and NAME_MAX are 4096 and 255; what is not whole yet has a longer name, and `--root` comes before.
const MOST_IN_PATH = 1000
const MOST_IN_NAME = 200

// What goes into sshd_config unquoted: no spaces, quotes, tokens (%h) or globs.
export const path: SettingType<string> = value => {
  const given = text(value)
  if (given === undefined || !/^\/[A-Za-z0-9._+@/-]*[A-Za-z0-9._+@-]$/.test(given)) {
    return { problem: 'must be an absolute path of letters, digits and ._+@-' }
  }
  if (given.split('/').includes('..')) return { problem: 'must not contain ".."' }
  if (given.length > MOST_IN_PATH || given.split('/').some(name => name.length > MOST_IN_NAME)) {
    return {
      problem: `must be at most ${MOST_IN_PATH} letters, and ${MOST_IN_NAME} between two slashes`,
    }
  }
  return { value: given }
}

export const flag: SettingType<boolean> = value => {
  if (value === true || value === 'true') return { value: true }
  if (value === false || value === 'false') return { value: false }
  return { problem: 'must be true or false' }
}

export function oneOf<const T extends string>(...choices: T[]): SettingType<T> {
  return value => {
    const choice = choices.find(each => each === value)
    return choice === undefined ? { problem: `must be ${choices.join(' or ')}` } : { value: choice }
  }
}

const UNIT_SECONDS: Record<string, number> = { h: 3600, m: 60, s: 1 }

/** A duration as in Pomerium's own config (Go's `1h30m`), of 10 s to 24 h; in seconds. */
export const duration: SettingType<number> = value => {
  const given = text(value)
  if (given === undefined || !/^(\d{1,6}[hms])+$/.test(given)) {
    return { problem: 'must be a duration like 30s, 5m or 1h30m' }
  }
  const seconds = [...given.matchAll(/(\d+)([hms])/g)].reduce(
    (sum, [, count, unit]) => sum + Number(count) * (UNIT_SECONDS[unit ?? ''] ?? 0),
    0,
  )
  if (seconds < 10 || seconds > 86_400) return { problem: 'must be between 10s and 24h' }
  return { value: seconds }
}

export const jsonPointer: SettingType<string> = value => {
  const given = text(value)
  if (given === undefined || !/^(\/([^~]|~[01])*)$/.test(given)) {
    return { problem: 'must be a JSON pointer like /data/ca.pub (RFC 6901)' }
  }
  return { value: given }
}

/** `address:port`, IPv6 in brackets. */
export const listenAddress: SettingType<string> = value => {
  const given = text(value)
  const match = /^(?:\[([^\]]*:[^\]]*)\]|([0-9.]+)):(\d{1,5})$/.exec(given ?? '')
  const address = parseIpAddress(match?.[1] ?? match?.[2] ?? '')
  const port = Number(match?.[3])
  if (given === undefined || address === undefined || !(port >= 1 && port <= 65_535)) {
    return { problem: 'must be address:port, as 0.0.0.0:9444 or [::]:9444' }
  }
  return { value: given }
}

/** A list in YAML; in the environment, separated by commas. */
export function listOf<T>(item: SettingType<T>, kind: string): SettingType<readonly T[]> {
  return value => {
    const items = typeof value === 'string' ? value.split(',').map(each => each.trim()) : value
    if (!Array.isArray(items) || items.length === 0) return { problem: `must be a list of ${kind}` }
    const values: T[] = []
    for (const [index, each] of items.entries()) {
      const read = item(each)
      if ('problem' in read) return { problem: `entry ${index + 1} ${read.problem}` }
      values.push(read.value)
    }
    return { value: values }
  }
}

export const fingerprint: SettingType<string> = value => {
  const given = text(value)?.replace(/=+$/, '')
  if (given === undefined || !/^SHA256:[A-Za-z0-9+/]{43}$/.test(given)) {
    return { problem: 'must be SHA256: and 43 characters, as `ssh-keygen -l` prints it' }
  }
  return { value: given }
}

/** CIDR as sshd_config(5) `Match Address` takes it; sshd refuses one with host bits set. */
export const addressRange: SettingType<string> = value => {
  const given = text(value)
  const [address = '', bits, more] = (given ?? '').split('/')
  const bytes = parseIpAddress(address)
  const most = (bytes?.length ?? 0) * 8
  const length = bits === undefined ? most : /^\d{1,3}$/.test(bits) ? Number(bits) : Number.NaN
  if (given === undefined || bytes === undefined || more !== undefined || !(length <= most)) {
    return { problem: 'must be an address or a range like 203.0.113.0/24' }
  }
  const hostBits = bytes.some((byte, index) => {
    const kept = Math.min(8, Math.max(0, length - index * 8))
    return (byte & (0xff >> kept)) !== 0
  })
  return hostBits
    ? { problem: 'has bits set behind the prefix; give the first address of the range' }
    : { value: given }
}

export const word: SettingType<string> = value => {
  const given = text(value)
  return given === undefined ? { problem: 'must be a text' } : { value: given }
}
