import type { Layout } from '../config/layout.ts'
import type { ForeignCaFile, Observation, SshdState } from '../host/observation.ts'
import { acceptsSignatures } from '../keys/ca-algorithms.ts'
import { type ListedKey, readCaFile } from '../keys/ca-file.ts'

/** Whose trust a CA file is that another's line names; fingerprints. */
export type CaFileOwner =
  /** Of no one but the publisher: sshd reads no other key in it. */
  | { kind: 'publisher'; keys: string[] }
  | { kind: 'others'; strange: string[]; ours: string[] }
  /** `why` reads after a colon. */
  | { kind: 'unknown'; why: string }

/** The keys that came to this host by a bundle, that of now or an earlier one: their fingerprints. */
export type Published = ReadonlySet<string>

/**
 * Judges the file by the keys that sshd reads in it, and by nothing else: not by its name, nor by whose
 * line it is. Of a file without keys nothing can be told, unless the line `isOutranked` already: then it has
 * been emptied since.
 */
export function ownerOfCaFile(
  name: string,
  host: Observation,
  layout: Layout,
  published: Published,
  isOutranked: boolean,
): CaFileOwner {
  const caFile = layout.caFile.path
  const file = name === caFile ? ownCaFile(host, caFile) : host.foreignCaFiles.get(name)
  if (file === undefined) return { kind: 'unknown', why: 'it was not looked at' }
  // Somebody who may not read it is told so, and the plan is uncertain.
  if (file.kind === 'ours' || file.kind === 'unseen') return { kind: 'publisher', keys: [] }
  const { sshd } = host
  if (file.kind === 'unreadable') {
    const isGone = isOutranked && file.missing === true
    return isGone ? { kind: 'publisher', keys: [] } : { kind: 'unknown', why: file.why }
  }
  const { keys, doubt } = readCaFile(file.content, type => knows(type, sshd))
  if (doubt !== undefined)
    return { kind: 'unknown', why: `its line ${doubt.line} is ${doubt.what}` }
  if (keys.length === 0 && !isOutranked) return { kind: 'unknown', why: 'it names no key' }
  return ownerOf(keys, published)
}

function ownerOf(keys: readonly ListedKey[], published: Published): CaFileOwner {
  const all = keys.map(({ fingerprint }) => fingerprint)
  const strange = all.filter(each => !published.has(each))
  return strange.length === 0
    ? { kind: 'publisher', keys: all }
    : { kind: 'others', strange, ours: all.filter(each => published.has(each)) }
}

function ownCaFile({ found }: Pick<Observation, 'found'>, path: string): ForeignCaFile {
  const before = found.get(path)
  return before === undefined
    ? { kind: 'ours' }
    : { kind: 'read', path, content: Buffer.from(before.content, 'base64') }
}

/**
 * Whether this sshd was built with keys of a type, and takes certificates that such a key has signed. A
 * plan of somebody who may not ask sshd is uncertain anyway.
 */
export function knows(type: string, sshd: SshdState): boolean {
  return sshd.kind === 'readable' ? acceptsSignatures(type, sshd.effective) : sshd.kind === 'unseen'
}

/** What a file names, for the middle of a sentence: which keys nobody knows, and which are ours. */
export function describeOwner(owner: CaFileOwner): string {
  switch (owner.kind) {
    case 'publisher':
      return 'its keys are ours'
    case 'others': {
      const ours = owner.ours.length === 0 ? '' : `; ours in it: ${someOf(owner.ours)}`
      return `no bundle on this host has named ${someOf(owner.strange)}${ours}`
    }
    case 'unknown':
      return `whose keys these are can't be told: ${owner.why}`
  }
}

const MOST = 4

// A stranger's file may have hundreds.
function someOf(fingerprints: readonly string[]): string {
  const more = fingerprints.length - MOST
  const named = fingerprints.slice(0, MOST).join(', ')
  return more > 0 ? `${named} and ${more} more` : named
}
