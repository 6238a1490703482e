import type { ForeignCaFile, Observation } from '../host/observation.ts'
import { type CaFileReading, type ListedKey, readCaFile } from '../keys/ca-file.ts'
import { type HostRefused, refuseHost } from '../outcome/host-refusal.ts'
import { knows } from './ca-file-owner.ts'
import { describeForeignCa, type ForeignCa } from './foreign-ca.ts'

/** A key of another owner's CA file, and which file that is. */
export interface AdoptedKey extends ListedKey {
  file: string
}

export type Adoption = { kind: 'adopted'; keys: AdoptedKey[]; warnings: string[] } | HostRefused

/**
 * The keys that sshd would go by without us, beside `ours`: none that it would not trust, and none
 * of `published`, which are the publisher's, and gone for good once the bundle no longer names them.
 * What can't be read, or can't be read alike by every sshd, is not displaced in silence.
 */
export function adoptKeys(
  foreign: ForeignCa | undefined,
  { foreignCaFiles, sshd }: Pick<Observation, 'foreignCaFiles' | 'sshd'>,
  {
    ours,
    published,
    revoked,
  }: {
    ours: readonly { fingerprint: string }[]
    published: readonly string[]
    revoked: readonly { fingerprint: string }[]
  },
): Adoption {
  if (foreign?.file === undefined) return { kind: 'adopted', keys: [], warnings: [] }
  const file = foreignCaFiles.get(foreign.file) ?? NOT_READ
  if (file.kind === 'unreadable') {
    return refuseHost(
      'foreign-ca-unreadable',
      `the keys to adopt can't be read: ${describeForeignCa(foreign)}: ${file.why}; mend that, or remove that line`,
    )
  }
  if (file.kind !== 'read') return { kind: 'adopted', keys: [], warnings: [] }
  const { keys, ends, doubt } = readCaFile(file.content, type => knows(type, sshd))
  if (doubt !== undefined) {
    return refuseHost(
      'foreign-ca-key',
      `${file.path}:${doubt.line} is ${doubt.what}: not every sshd reads on behind it; remove that line there`,
    )
  }
  const [isOurs, isDead] = [named(ours), named(revoked)]
  const ofPublisher = new Set(published)
  const others = keys.filter(key => !isOurs(key))
  const [dead, alive] = [others.filter(isDead), others.filter(key => !isDead(key))]
  const retired = alive.filter(key => ofPublisher.has(key.fingerprint))
  return {
    kind: 'adopted',
    keys: alive
      .filter(key => !ofPublisher.has(key.fingerprint))
      .map(key => ({ ...key, file: file.path })),
    warnings: [
      ...dead.map(key => tellRevoked(file.path, key)),
      ...retired.map(key => tellRetired(file.path, key)),
      ...tellEnd(file.path, ends),
    ],
  }
}

const NOT_READ: ForeignCaFile = { kind: 'unreadable', why: 'it was not looked at' }

function tellRetired(file: string, { line, fingerprint }: ListedKey): string {
  return `${file}:${line}: ${fingerprint} came by a bundle and is retired; it is not adopted`
}

function tellRevoked(file: string, { line, fingerprint }: ListedKey): string {
  return `${file}:${line}: ${fingerprint} is revoked by the bundle; it is not adopted`
}

const named = (keys: readonly { fingerprint: string }[]) => {
  const fingerprints = new Set(keys.map(({ fingerprint }) => fingerprint))
  return ({ fingerprint }: { fingerprint: string }) => fingerprints.has(fingerprint)
}

/**
 * Whether a line of others trusts none but keys that are revoked, so that it takes nothing from anybody
 * that it wins: as far as it was read, and as every sshd reads it.
 */
export function isDeadCa(
  { file = '' }: ForeignCa,
  { foreignCaFiles }: Pick<Observation, 'foreignCaFiles'>,
  revoked: readonly { fingerprint: string }[],
): boolean {
  const read = foreignCaFiles.get(file)
  if (read?.kind !== 'read') return false
  const { keys, doubt } = readCaFile(read.content)
  return keys.length > 0 && doubt === undefined && keys.every(named(revoked))
}

function tellEnd(file: string, ends: CaFileReading['ends']): string[] {
  return ends === undefined
    ? []
    : [`${file}:${ends}: sshd stops reading at this line; from there on nothing is adopted`]
}
