import { isIPv4, isIPv6 } from 'node:net'
import { parseSourceUrl } from '../source-url.ts'

/** Reads one value of the YAML file (or of the environment, as text); a text says what is wrong. */
export type SettingType<T> = (value: unknown) => { value: T } | { problem: string }

const text = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined

export const sourceUrl: SettingType<URL> = value => parseSourceUrl(text(value) ?? '')

// What goes into sshd_config unquoted: no spaces, quotes, tokens (%h) or globs.
export const path: SettingType<string> = value => {
  const given = text(value)
  if (given === undefined || !/^\/[A-Za-z0-9._+@/-]*[A-Za-z0-9._+@-]$/.test(given)) {
    return { problem: 'must be an absolute path of letters, digits and ._+@-' }
  }
  if (given.split('/').includes('..')) return { problem: 'must not contain ".."' }
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
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([0-9.]+)):(\d{1,5})$/.exec(given ?? '')
  const port = Number(match?.[3])
  const known = isIPv6(match?.[1] ?? '') || isIPv4(match?.[2] ?? '')
  if (given === undefined || !known || port < 1 || port > 65_535) {
    return { problem: 'must be address:port, as 0.0.0.0:9444 or [::]:9444' }
  }
  return { value: given }
}

/** A list in YAML; in the environment, separated by commas. */
export function listOf<T>(item: SettingType<T>, kind: string): SettingType<T[]> {
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
  const family = isIPv4(address) ? 'ipv4' : isIPv6(address) ? 'ipv6' : undefined
  const most = family === 'ipv4' ? 32 : 128
  const length = bits === undefined ? most : /^\d{1,3}$/.test(bits) ? Number(bits) : Number.NaN
  const bad = { problem: 'must be an address or a range like 203.0.113.0/24' }
  if (given === undefined || family === undefined || more !== undefined || !(length <= most))
    return bad
  return isNetworkAddress(address, length, family)
    ? { value: given }
    : { problem: 'has bits set behind the prefix; give the first address of the range' }
}

export const word: SettingType<string> = value => {
  const given = text(value)
  return given === undefined ? { problem: 'must be a text' } : { value: given }
}

function isNetworkAddress(address: string, bits: number, family: 'ipv4' | 'ipv6'): boolean {
  const bytes = addressBytes(address, family)
  return bytes.every((byte, index) => {
    const kept = Math.min(8, Math.max(0, bits - index * 8))
    return (byte & (0xff >> kept)) === 0
  })
}

function addressBytes(address: string, family: 'ipv4' | 'ipv6'): number[] {
  if (family === 'ipv4') return address.split('.').map(Number)
  // The URL parser writes IPv6 in full hex groups, RFC 5952 compressed.
  const [head = '', tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::')
  const groups = (side: string) =>
    side === '' ? [] : side.split(':').map(each => parseInt(each, 16))
  const front = groups(head)
  const back = groups(tail ?? '')
  const gap = new Array<number>(8 - front.length - back.length).fill(0)
  return [...front, ...gap, ...back].flatMap(group => [group >> 8, group & 0xff])
}
