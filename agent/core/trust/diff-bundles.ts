import type { Bundle } from '../bundle/bundle.ts'
import { HEADER_NAMES, type HeaderName } from '../bundle/headers.ts'
import type { CaKey } from '../keys/ca-key.ts'
import { diffKeys } from '../keys/diff-keys.ts'
import { verifySshsig } from './sshsig.ts'

/** What differs between two bundles; `unchanged` where nothing does. */
export interface Comparison {
  added: CaKey[]
  removed: CaKey[]
  kept: CaKey[]
  /** The same of the keys that are revoked. */
  revoked: { added: CaKey[]; removed: CaKey[]; kept: CaKey[] }
  /** `[old, new]` of what is not the same in both; a signer is the fingerprint that is claimed. */
  headers: { name: HeaderName | 'signer'; old: string; new: string }[]
  unchanged: boolean
}

export function diffBundles(old: Bundle, next: Bundle): Comparison {
  const { added, removed, kept } = diffKeys<CaKey>(old.keys, next.keys)
  const revoked = diffKeys<CaKey>(old.revoked, next.revoked)
  const changes = [added, removed, revoked.added, revoked.removed].flat()
  const headers = ([...HEADER_NAMES, 'signer'] as const)
    .map(name => ({ name, old: describe(old, name), new: describe(next, name) }))
    .filter(pair => pair.old !== pair.new)
  return {
    added,
    removed,
    kept,
    revoked,
    headers,
    unchanged: changes.length + headers.length === 0,
  }
}

function describe(bundle: Bundle, name: Comparison['headers'][number]['name']): string {
  if (name === 'signer') return claimedSigner(bundle)
  const value = bundle[name]
  return value instanceof Date ? value.toISOString().replace('.000Z', 'Z') : String(value ?? 'none')
}

/** By whose key the signature is right; `none`, or the code of what is wrong with it. */
function claimedSigner({ signature }: Bundle): string {
  if (signature === undefined) return 'none'
  const verdict = verifySshsig(signature.armor, signature.signed)
  return verdict.kind === 'signed' ? verdict.fingerprint : verdict.code
}
