import type { TrustedKey } from '../../core/outcome/outcome.ts'
import type { HostStanding } from '../../publisher/rotate/census.ts'
import type { HostCondition } from '../../publisher/status/judge-status.ts'
import { columns, paint, print, WIDTH, wrapped } from '../terminal/screen.ts'

/** A host as the table has it. */
type Row = Pick<HostStanding, 'host' | 'code' | 'message' | 'trusted'> & {
  state: HostStanding['state'] | HostCondition['state']
}

const COLOURS: Record<Row['state'], Parameters<typeof paint>[0]> = {
  converged: 'green',
  waiting: 'yellow',
  late: 'yellow',
  differs: 'yellow',
  'left-behind': 'yellow',
  'not-asked': 'yellow',
  'not-well': 'red',
  unreachable: 'red',
  failed: 'red',
}

/** A key by the word that the table has for it. */
export interface NamedKey {
  name: string
  fingerprint: string
}

/**
 * Who trusts what: first the keys, each with the word that the table has for it, then a row for each
 * host, and below the row of one that has not converged why not, or what is not as it should be.
 */
export function printHosts(hosts: readonly Row[], known: readonly NamedKey[] = []): void {
  const matter = new Set(known.map(({ fingerprint }) => fingerprint))
  const trusted = hosts.flatMap(each => select(each.trusted ?? [], matter))
  const names = nameKeys(trusted, known)
  const width = Math.max(0, ...[...names.values()].map(name => name.length))
  for (const [fingerprint, name] of names) {
    const { comment = '' } = trusted.find(each => each.fingerprint === fingerprint) ?? {}
    print(cut(`${name.padEnd(width)} ${fingerprint} ${comment}`.trimEnd()))
  }
  if (names.size > 0) print('')
  const cells = hosts.map(each => trusts(each.trusted, matter, names))
  const rows = hosts.map(({ host, state }, at) => [host, state, cells[at] ?? ''])
  // What is too long for its row stands below it.
  const long = columns([['HOST', 'STATE', 'TRUSTS'], ...rows]).map(line => line.length > WIDTH)
  const short = rows.map(([host = '', state = '', cell = ''], at) => [
    host,
    state,
    long[at + 1] === true ? '' : cell,
  ])
  const [head = '', ...lines] = columns([['HOST', 'STATE', 'TRUSTS'], ...short])
  print(head)
  for (const [index, { host, state, code, message }] of hosts.entries()) {
    const line = lines[index] ?? ''
    const at = line.indexOf(state, host.length)
    print(line.slice(0, at) + paint(COLOURS[state], state) + line.slice(at + state.length))
    const below = long[index + 1] === true ? [`trusts ${cells[index]}`] : []
    if (state !== 'converged' || code !== undefined)
      below.push(code === undefined ? message : `${code}: ${message}`)
    for (const each of below.flatMap(text => wrapped(text, '    '))) print(each)
  }
}

const cut = (line: string) => (line.length > WIDTH ? `${line.slice(0, WIDTH - 1)}…` : line)

/** The word for each fingerprint; a key that has none yet is numbered. */
function nameKeys(keys: readonly TrustedKey[], known: readonly NamedKey[]): Map<string, string> {
  const names = new Map(known.map(({ name, fingerprint }) => [fingerprint, name]))
  const others = new Set(keys.map(key => key.fingerprint).filter(each => !names.has(each)))
  for (const [index, fingerprint] of [...others].entries()) {
    names.set(fingerprint, `key${index + 1}`)
  }
  return names
}

/** So many keys of a host are shown that nobody asked for: an adopted file may hold hundreds. */
const MOST_OTHERS = 4

function select(keys: readonly TrustedKey[], matter: ReadonlySet<string>): TrustedKey[] {
  const others = keys.filter(({ fingerprint }) => !matter.has(fingerprint))
  const left = new Set(others.slice(MOST_OTHERS))
  return keys.filter(key => !left.has(key))
}

function trusts(
  keys: readonly TrustedKey[] | undefined,
  matter: ReadonlySet<string>,
  names: ReadonlyMap<string, string>,
): string {
  if (keys === undefined) return 'not known'
  if (keys.length === 0) return 'no key'
  const shown = select(keys, matter)
  const words = shown.map(({ fingerprint, adopted }) => {
    const name = names.get(fingerprint) ?? fingerprint
    return adopted === undefined ? name : `${name} (by ${adopted})`
  })
  const left = keys.length - shown.length
  return [...words, ...(left === 0 ? [] : [`${left} more`])].join(', ')
}

/** The same for programs. */
export function hostsForPrograms(hosts: readonly HostStanding[]) {
  return hosts.map(({ retryAfterMs: _, ...host }) => host)
}
