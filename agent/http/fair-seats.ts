import { parseIpAddress } from '../core/network/ip-address.ts'

/** Who sits on a seat. */
export interface Sitter {
  /** The address of the peer; `undefined` where it is gone already. */
  address: string | undefined
  /** Whether little is lost if this one goes. */
  isIdle(): boolean
  /** Called where the seat is given to another. It is not to be given back then. */
  leave(): void
}

export interface Seats {
  /** Takes a seat, from another if need be: what gives it back, or `undefined` where there is none. */
  take(sitter: Sitter): (() => void) | undefined
  taken(): number
}

/**
 * So many seats, which no network can keep from another. Where all are taken, the network with the most
 * gives one up: its oldest idle sitter, else its oldest, as long as it keeps as many as the newcomer's
 * then has. Where all have about the same, the oldest idle one goes, but never of a smaller network.
 */
export function fairSeats(most: number): Seats {
  // In the order of arrival.
  const networks = new Map<string, Set<Sitter>>()
  let count = 0
  const rise = (network: string, sitter: Sitter) => {
    const sitters = networks.get(network)
    if (sitters?.delete(sitter) !== true) return
    count -= 1
    if (sitters.size === 0) networks.delete(network)
  }
  const makeRoom = (own: string): boolean => {
    const mine = networks.get(own)?.size ?? 0
    const largest = largestOf(networks)
    const isUneven = largest[1].size > mine + 1
    const goes = isUneven
      ? (firstIdle([largest], 0) ?? firstOf(largest))
      : firstIdle(networks, mine)
    if (goes === undefined) return false
    rise(...goes)
    goes[1].leave()
    return true
  }
  return {
    take(sitter) {
      const network = networkOf(sitter.address)
      if (count >= most && !makeRoom(network)) return undefined
      const sitters = networks.get(network) ?? new Set()
      networks.set(network, sitters.add(sitter))
      count += 1
      return () => rise(network, sitter)
    },
    taken: () => count,
  }
}

type Network = readonly [name: string, sitters: ReadonlySet<Sitter>]

function largestOf(networks: Iterable<Network>): Network {
  let found: Network = ['', new Set()]
  for (const each of networks) if (each[1].size > found[1].size) found = each
  return found
}

/** The oldest idle one of the first network that has one, and has no fewer than `least` sitters. */
function firstIdle(networks: Iterable<Network>, least: number): [string, Sitter] | undefined {
  for (const [name, sitters] of networks) {
    if (sitters.size < least) continue
    for (const sitter of sitters) if (sitter.isIdle()) return [name, sitter]
  }
  return undefined
}

function firstOf([name, sitters]: Network): [string, Sitter] | undefined {
  for (const sitter of sitters) return [name, sitter]
  return undefined
}

/**
 * What one customer has of the internet: an IPv4 address, also where it is written as an IPv6 one
 * (RFC 4291 §2.5.5.2), or a /64 of IPv6 (RFC 6177).
 */
export function networkOf(address: string | undefined): string {
  // Behind a `%` stands the name of an interface (RFC 4007 §11).
  const [bare = ''] = (address ?? '').split('%')
  const bytes = parseIpAddress(bare)
  if (bytes?.length !== 16) return bare
  const mapped =
    bytes.slice(0, 10).every(byte => byte === 0) && bytes[10] === 255 && bytes[11] === 255
  return mapped ? bytes.slice(12).join('.') : bytes.slice(0, 8).join(':')
}

/** A connection by its other end: the same for the TLS that is spoken on it, which is another socket. */
export function peerOf(socket: {
  remoteAddress?: string | undefined
  remotePort?: number | undefined
}): string {
  return `${socket.remoteAddress} ${socket.remotePort}`
}
