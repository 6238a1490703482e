import { parseBundle } from '../core/bundle.ts'
import type { CaKey } from '../core/ca-key.ts'
import type { Host } from './host.ts'
import { lookAt } from './look-at.ts'

/** The keys in the CA file as it lies on the host; none where it is missing, unreadable or spoilt. */
export function keysOnHost(host: Host): readonly CaKey[] {
  const bundle = parseBundle(contentOf(host) ?? Buffer.alloc(0))
  return bundle.kind === 'bundle' ? bundle.keys : []
}

/** Whether every key of a bundle that was accepted here (base64) lies in the CA file, as sshd reads it. */
export function keysLie(host: Host, held: { bundle: string } | undefined): boolean {
  if (held === undefined) return true
  const bundle = parseBundle(Buffer.from(held.bundle, 'base64'))
  const lying = new Set(keysOnHost(host).map(({ base64 }) => base64))
  return bundle.kind !== 'bundle' || bundle.keys.every(({ base64 }) => lying.has(base64))
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
