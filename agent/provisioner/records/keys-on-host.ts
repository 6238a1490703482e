import { optional } from '../../core/basics/when-defined.ts'
import { parseBundle } from '../../core/bundle/bundle.ts'
import { type ListedKey, readCaFile } from '../../core/keys/ca-file.ts'
import { type TrustedKey, trustedKeys } from '../../core/outcome/outcome.ts'
import { lookAt } from '../files/read-file-state.ts'
import type { Host } from '../host/host.ts'
import { type State, stateOrFresh } from './state.ts'

/**
 * The keys in the CA file as it lies on the host, read as sshd reads it; none where it is missing or
 * can't be read. Which of them are another owner's is as remembered, and as `adopted` in a cycle that
 * did not come to remember it.
 */
export function keysOnHost(
  host: Host,
  adopted: Readonly<Record<string, string>> = {},
  state: State = stateOrFresh(host),
): TrustedKey[] {
  const files = new Map(Object.entries({ ...adopted, ...state.adopted }))
  return keysIn(host, 'caFile').map(({ type, fingerprint, comment }) => ({
    type,
    fingerprint,
    comment,
    ...optional('adopted', files.get(fingerprint)),
  }))
}

function keysIn(host: Host, place: 'caFile' | 'revokedKeys'): ListedKey[] {
  const content = contentOf(host, place)
  return content === undefined ? [] : readCaFile(content).keys
}

/** Whether a key lies in a file of ours. */
function liesIn(host: Host, place: 'caFile' | 'revokedKeys') {
  const lying = new Set(keysIn(host, place).map(({ fingerprint }) => fingerprint))
  return ({ fingerprint }: { fingerprint: string }) => lying.has(fingerprint)
}

/** What lies on the host of what is trusted and of what is revoked; see `keysOnHost`. */
export function trustOnHost(
  host: Host,
  adopted?: Readonly<Record<string, string>>,
): { trusted: TrustedKey[]; revoked?: TrustedKey[] } {
  const state = stateOrFresh(host)
  // Of the list those that the held bundle revokes: another owner's lie there too.
  const revoked = keysOf(state.held).revoked.filter(liesIn(host, 'revokedKeys'))
  return {
    trusted: keysOnHost(host, adopted, state),
    ...optional('revoked', revoked.length === 0 ? undefined : trustedKeys(revoked)),
  }
}

/** What a bundle that was accepted here (base64) names. */
export function keysOf(held: { bundle: string } | undefined) {
  const bundle = parseBundle(Buffer.from(held?.bundle ?? '', 'base64'))
  return bundle.kind === 'bundle' ? bundle : { keys: [], revoked: [] }
}

/**
 * Whether every key of a bundle that was accepted here (base64) lies where sshd reads it: in the CA file, or in
 * the list of those that are revoked.
 */
export function keysLie(host: Host, held: { bundle: string } | undefined): boolean {
  const { keys, revoked } = keysOf(held)
  return keys.every(liesIn(host, 'caFile')) && revoked.every(liesIn(host, 'revokedKeys'))
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
