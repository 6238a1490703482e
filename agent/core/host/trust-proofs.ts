import { parseIpAddress } from '../network/ip-address.ts'

/** A connection to ask sshd about: `sshd -T -C user=…,host=…,addr=…` (sshd(8)). */
export interface Connection {
  user: string
  addr: string
}

/**
 * A connection, and whether our CA is to be trusted on it. Without user and address it is that of
 * nobody in particular, which no `Match` but `Match all` matches.
 */
export interface Proof extends Partial<Connection> {
  trusted: boolean
}

// From nowhere in particular (RFC 5737, RFC 3849), and from this host.
const ANYWHERE = ['192.0.2.1', '198.51.100.1', '2001:db8::1', '127.0.0.1']

/**
 * What to ask sshd for proof, the most telling first: nobody in particular, several users and
 * addresses where the CA is trusted from anywhere, else an address in each range and one in none.
 */
export function proofsFor(acceptFrom: readonly string[] | undefined): [Proof, ...Proof[]] {
  if (acceptFrom === undefined || acceptFrom.length === 0) {
    return [
      { trusted: true },
      { user: 'nobody', addr: '192.0.2.1', trusted: true },
      { user: 'root', addr: '2001:db8::1', trusted: true },
      { user: 'root', addr: '127.0.0.1', trusted: true },
    ]
  }
  const [first = '', ...rest] = acceptFrom
  const inside = (range: string) => ({ user: 'nobody', addr: firstAddress(range), trusted: true })
  const outside = ANYWHERE.find(addr => !acceptFrom.some(range => contains(range, addr)))
  return [
    inside(first),
    ...rest.map(inside),
    ...(outside === undefined ? [] : [{ user: 'root', addr: outside, trusted: false }]),
  ]
}

const firstAddress = (range: string) => range.split('/')[0] ?? range

/** Whether an address lies in a CIDR range; never one of the other family. */
export function contains(range: string, address: string): boolean {
  const start = parseIpAddress(firstAddress(range))
  const bytes = parseIpAddress(address)
  if (start === undefined || bytes === undefined || start.length !== bytes.length) return false
  const bits = Number(range.split('/')[1] ?? start.length * 8)
  return bytes.every((byte, index) => {
    const mask = (0xff00 >> Math.min(8, Math.max(0, bits - index * 8))) & 0xff
    return ((byte ^ (start[index] ?? 0)) & mask) === 0
  })
}
