import { parseBundle } from '../core/bundle.ts'
import { type ListedKey, readCaFile } from '../core/ca-file.ts'
import { optional } from '../core/optional.ts'
import type { TrustedKey } from '../core/outcome.ts'
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
  return keysIn(contentOf(host)).map(({ type, fingerprint, comment }) => ({
    type,
    fingerprint,
    comment,
    ...optional('adopted', files.get(fingerprint)),
  }))
}

function keysIn(content: Buffer | undefined): ListedKey[] {
  return content === undefined ? [] : readCaFile(content).keys
}

/** Whether every key of a bundle that was accepted here (base64) lies in the CA file, as sshd reads it. */
export function keysLie(host: Host, held: { bundle: string } | undefined): boolean {
  if (held === undefined) return true
  const bundle = parseBundle(Buffer.from(held.bundle, 'base64'))
  const lying = new Set(keysIn(contentOf(host)).map(({ fingerprint }) => fingerprint))
  return bundle.kind !== 'bundle' || bundle.keys.every(key => lying.has(key.fingerprint))
}

// It is asked for a report of what went wrong, which must not go wrong itself on a disk that dies.
function contentOf(host: Host): Buffer | undefined {
  try {
    const file = lookAt(host.fs, host.at(host.layout.caFile.path))
    return file.kind === 'file' ? file.content : undefined
  } catch {
    return undefined
  }
}
