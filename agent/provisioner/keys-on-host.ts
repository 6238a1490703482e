import { parseBundle } from '../core/bundle.ts'
import type { CaKey } from '../core/ca-key.ts'
import type { Host } from './host.ts'
import { lookAt } from './look-at.ts'

/** The keys in the CA file as it lies on the host; none where it is missing, unreadable or spoilt. */
export function keysOnHost(host: Host): readonly CaKey[] {
  const bundle = parseBundle(contentOf(host) ?? Buffer.alloc(0))
  return bundle.kind === 'bundle' ? bundle.keys : []
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
