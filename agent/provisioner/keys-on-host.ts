import { parseBundle } from '../core/bundle.ts'
import { type ListedKey, readCaFile } from '../core/ca-file.ts'
import { optional } from '../core/optional.ts'
import { type TrustedKey, trustedKeys } from '../core/outcome.ts'
import type { Host } from './host.ts'
import { lookAt } from './look-at.ts'
import { stateOrFresh } from './state.ts'

/**
 * The keys in the CA file as it lies on the host, read as sshd reads it; none where it is missing or
 * can't be read. Which of them are another owner's is as remembered, and as `adopted` in a cycle that
 * did not come to remember it.
 */
export function keysOnHost(
  host: Host,
  adopted: Readonly<Record<string, string>> = {},
): TrustedKey[] {
  const files = new Map(Object.entries({ ...adopted, ...stateOrFresh(host).adopted }))
  return keysIn(contentOf(host, 'caFile')).map(({ type, fingerprint, comment }) => ({
    type,
    fingerprint,
    comment,
    ...optional('adopted', files.get(fingerprint)),
  }))
}

function keysIn(content: Buffer | undefined): ListedKey[] {
  return content === undefined ? [] : readCaFile(content).keys
}

/** What lies on the host of what is trusted and of what is revoked; see `keysOnHost`. */
export function trustOnHost(
  host: Host,
  adopted?: Readonly<Record<string, string>>,
): { trusted: TrustedKey[]; revoked?: TrustedKey[] } {
  const revoked = revokedOnHost(host)
  return {
    trusted: keysOnHost(host, adopted),
    ...optional('revoked', revoked.length === 0 ? undefined : revoked),
  }
}

/** The keys that the held bundle revokes, as far as they lie in the list; others' lie there too. */
function revokedOnHost(host: Host): TrustedKey[] {
  const lying = new Set(
    keysIn(contentOf(host, 'revokedKeys')).map(({ fingerprint }) => fingerprint),
  )
  const { revoked } = keysOf(stateOrFresh(host).held)
  return trustedKeys(revoked.filter(({ fingerprint }) => lying.has(fingerprint)))
}

/** What a bundle that was accepted here (base64) names. */
export function keysOf(held: { bundle: string } | undefined) {
  const bundle = parseBundle(Buffer.from(held?.bundle ?? '', 'base64'))
  return bundle.kind === 'bundle' ? bundle : { keys: [], revoked: [] }
}

/** Whether every key of a bundle that was accepted here (base64) lies where sshd reads it: in the CA file, or in the list of those that are revoked. */
export function keysLie(host: Host, held: { bundle: string } | undefined): boolean {
  const { keys, revoked } = keysOf(held)
  const all = [
    [keys, 'caFile'],
    [revoked, 'revokedKeys'],
  ] as const
  return all.every(([named, place]) => {
    const lying = new Set(keysIn(contentOf(host, place)).map(({ fingerprint }) => fingerprint))
    return named.every(({ fingerprint }) => lying.has(fingerprint))
  })
}

// It is asked for a report of what went wrong, which must not go wrong itself on a disk that dies.
function contentOf(host: Host, place: 'caFile' | 'revokedKeys'): Buffer | undefined {
  try {
    const file = lookAt(host.fs, host.at(host.layout[place].path))
    return file.kind === 'file' ? file.content : undefined
  } catch {
    return undefined
  }
}
