import { parseBundle } from '../core/bundle.ts'
import type { CaKey } from '../core/ca-key.ts'
import type { Host } from './host.ts'
import { lookAt } from './look-at.ts'

/** The keys in the CA file as it lies on the host; none where it is missing, unreadable or spoilt. */
export function keysOnHost(host: Host): readonly CaKey[] {
  const file = lookAt(host.fs, host.at(host.layout.caFile.path))
  if (file.kind !== 'file') return []
  const bundle = parseBundle(file.content)
  return bundle.kind === 'bundle' ? bundle.keys : []
}
