import { createHash } from 'node:crypto'
import { optional } from '../../core/basics/when-defined.ts'
import { type Bundle, type BundleRefused, parseBundle } from '../../core/bundle/bundle.ts'
import { composeBundle } from '../../core/bundle/compose.ts'
import type { CaKey } from '../../core/keys/ca-key.ts'
import { type Edition, ORDERS, type Order, type Rotation } from './rotation.ts'

export interface BeginOptions {
  order: Order
  /** What the hosts are served now. */
  published: Uint8Array
  newKeys: readonly CaKey[]
  hosts: readonly string[]
  now: Date
  /** Signs a bundle's text; absent where the fleet takes unsigned ones. */
  sign?: (text: string) => Promise<Signed>
}

type Signed = { kind: 'signed'; text: string } | { kind: 'problem'; message: string }

export type Begun =
  | { kind: 'begun'; rotation: Rotation }
  | (BundleRefused & { what: 'published' | 'made' })
  /** There is nothing to rotate, or no way to. */
  | { kind: 'problem'; message: string }

/**
 * Makes a rotation: both editions, composed and signed before anything is published, so that a killed
 * run goes on with the same bytes. The serials follow the published one; where that has a life span,
 * the new ones have the same.
 */
export async function begin(options: BeginOptions): Promise<Begun> {
  const { order, published, newKeys, hosts, now, sign } = options
  const old = parseBundle(published)
  if (old.kind === 'refused') return { ...old, what: 'published' }
  const isNew = (key: CaKey) => newKeys.some(each => each.base64 === key.base64)
  const outgoing = old.keys.filter(key => !isNew(key))
  if (outgoing.length === 0) {
    return { kind: 'problem', message: 'the published bundle holds no key but the new one' }
  }
  if (old.signature !== undefined && sign === undefined) {
    const message = 'the published bundle is signed; give --sign-key, or hosts refuse the next'
    return { kind: 'problem', message }
  }
  const serial = (old.serial ?? 0) + 1
  // What was revoked once stays so; a key that got out is dead wherever else it is named.
  const revoked = [...old.revoked, ...(order === 'compromised' ? outgoing : [])]
  const make = (at: number, keys: readonly CaKey[]) => edit(at, { keys, revoked }, old, now, sign)
  const both = order === 'planned' ? await make(serial, [...outgoing, ...newKeys]) : undefined
  if (both !== undefined && 'kind' in both) return both
  const next = await make(both === undefined ? serial : serial + 1, newKeys)
  if ('kind' in next) return next
  const rotation: Rotation = {
    order,
    step: ORDERS[order][0],
    editions: { ...optional('both', both), new: next },
    old: outgoing.map(({ fingerprint }) => fingerprint),
    before: digestOf(published),
    hosts: [...hosts],
    confirmed: { both: [], new: [] },
    beside: [],
    leftBehind: [],
    history: [{ at: now.toISOString(), what: `begun, in the ${order} order` }],
  }
  return { kind: 'begun', rotation }
}

/** SHA-256, hex. */
export function digestOf(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex')
}

async function edit(
  serial: number,
  { keys, revoked }: { keys: readonly CaKey[]; revoked: readonly CaKey[] },
  { issued, expires }: Bundle,
  now: Date,
  sign: BeginOptions['sign'],
): Promise<Edition | (BundleRefused & { what: 'made' }) | { kind: 'problem'; message: string }> {
  const lifeMs = expires && issued ? expires.getTime() - issued.getTime() : undefined
  const until = lifeMs === undefined ? undefined : new Date(now.getTime() + lifeMs)
  const headers = { serial, issued: now, ...optional('expires', until) }
  const composed = composeBundle({ ...headers, keys, revoked })
  if (composed.kind === 'refused') return { ...composed, what: 'made' }
  const edition = { serial, fingerprints: keys.map(({ fingerprint }) => fingerprint) }
  if (sign === undefined) return { ...edition, text: composed.text }
  const signed = await sign(composed.text)
  return signed.kind === 'problem' ? signed : { ...edition, text: signed.text }
}
