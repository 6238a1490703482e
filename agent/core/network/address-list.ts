import { parseIpAddress } from './ip-address.ts'

/**
 * The `ranges` that an address list leaves out, be it in part. A list is as in sshd_config(5): addresses,
 * CIDR ranges, and `*` at the end (`10.1.*`); what is behind a `!` is out whatever else is in. A pattern of
 * another form, or a name, is not reckoned on.
 */
export function leftOut(ranges: readonly string[], list: readonly string[]): string[] {
  const entries = list.filter(entry => !entry.startsWith('!')).flatMap(prefixesOf)
  return ranges.filter(range =>
    prefixesOf(range).some(
      prefix => list.some(entry => excludes(entry, prefix)) || !covers(entries, prefix),
    ),
  )
}

/** The list with these ranges in it, and nothing that keeps them out. */
export function withRanges(list: readonly string[], ranges: readonly string[]): string[] {
  const prefixes = ranges.flatMap(prefixesOf)
  const kept = list.filter(entry => !prefixes.some(prefix => excludes(entry, prefix)))
  return [...new Set([...kept, ...leftOut(ranges, kept)])]
}

function excludes(entry: string, prefix: string): boolean {
  return entry.startsWith('!') && prefixesOf(entry.slice(1)).some(out => overlaps(out, prefix))
}

const overlaps = (one: string, other: string) => one.startsWith(other) || other.startsWith(one)

function covers(entries: readonly string[], prefix: string): boolean {
  if (entries.some(entry => prefix.startsWith(entry))) return true
  // Two halves may stand there in place of the whole.
  const parts = entries.filter(entry => entry.startsWith(prefix))
  return parts.length > 0 && ['0', '1'].every(bit => covers(parts, prefix + bit))
}

/** What all addresses of an entry begin with: the family, then bits; `4:11001011` is 203.0.0.0/8. */
function prefixesOf(entry: string): string[] {
  if (entry === '*') return ['4:', '6:']
  const octets = /^((?:\d+\.){1,3})\*$/.exec(entry)?.[1]?.split('.').slice(0, -1)
  if (octets !== undefined) {
    return prefixesOf(`${[...octets, '0', '0', '0'].slice(0, 4).join('.')}/${8 * octets.length}`)
  }
  const [address = '', length, more] = entry.split('/')
  const bytes = parseIpAddress(address)
  if (bytes === undefined || more !== undefined || !/^\d{1,3}$/.test(length ?? '0')) return []
  const bits = bytes.map(byte => byte.toString(2).padStart(8, '0')).join('')
  return [`${bytes.length === 4 ? 4 : 6}:${bits.slice(0, Number(length ?? bits.length))}`]
}
