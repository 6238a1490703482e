import type { Wanted } from '../notify/judge.ts'
import type { ToldStatus } from './host-status.ts'

/** The keys of a host's bundle, in an order of their own; those that it adopted are another's. */
export function ownKeys({ trusted = [] }: Pick<ToldStatus, 'trusted'>): string[] {
  const own = trusted.filter(({ adopted }) => adopted === undefined)
  return own.map(({ fingerprint }) => fingerprint).sort()
}

/**
 * What a fleet should trust, where nobody says it: what most hosts trust of those with the highest serial, or of
 * all where none has a serial. `undefined` where no host trusts anything. Only as good as the hosts' word.
 */
export function commonBundle(told: readonly ToldStatus[]): Wanted | undefined {
  const holding = told.filter(each => ownKeys(each).length > 0)
  const serials = holding.flatMap(({ serial }) => serial ?? [])
  const serial = serials.length === 0 ? undefined : Math.max(...serials)
  const counts = new Map<string, number>()
  for (const each of holding.filter(host => host.serial === serial)) {
    const keys = ownKeys(each).join(' ')
    counts.set(keys, (counts.get(keys) ?? 0) + 1)
  }
  const [most] = [...counts].sort(([, one], [, other]) => other - one)
  if (most === undefined) return undefined
  const fingerprints = most[0].split(' ')
  return serial === undefined ? { fingerprints } : { fingerprints, serial }
}
