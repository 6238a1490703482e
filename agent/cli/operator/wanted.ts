import { type BundleRefused, parseBundle } from '../../core/bundle/bundle.ts'
import type { Wanted } from '../../publisher/notify/judge.ts'
import { readNamed } from './read-bundle.ts'

/** What hosts shall trust by the bundle in a file, or why that is none. */
export function readWanted(file: string): { kind: 'wanted'; wanted: Wanted } | BundleRefused {
  const bundle = parseBundle(readNamed(file))
  if (bundle.kind === 'refused') return bundle
  const fingerprints = bundle.keys.map(({ fingerprint }) => fingerprint)
  const revoked = bundle.revoked.map(({ fingerprint }) => fingerprint)
  const { serial } = bundle
  // A host that names the serial has this bundle; what it trusts beside it was adopted there.
  const counted = serial === undefined ? {} : { serial, gone: [] }
  return { kind: 'wanted', wanted: { fingerprints, revoked, ...counted } }
}
