import { type CaFileReading, type ListedKey, readCaFile } from './ca-file.ts'
import { knows } from './ca-file-owner.ts'
import { describeForeignCa, type ForeignCa } from './foreign-ca.ts'
import type { ForeignCaFile, Observation } from './observation.ts'
import { type HostRefused, refuseHost } from './refuse-host.ts'

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
  { ours, published }: { ours: readonly { fingerprint: string }[]; published: readonly string[] },
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
  const inBundle = new Set(ours.map(key => key.fingerprint))
  const ofPublisher = new Set(published)
  const others = keys.filter(key => !inBundle.has(key.fingerprint))
  const retired = others.filter(key => ofPublisher.has(key.fingerprint))
  return {
    kind: 'adopted',
    keys: others
      .filter(key => !ofPublisher.has(key.fingerprint))
      .map(key => ({ ...key, file: file.path })),
    warnings: [...retired.map(key => tellRetired(file.path, key)), ...tellEnd(file.path, ends)],
  }
}

const NOT_READ: ForeignCaFile = { kind: 'unreadable', why: 'it was not looked at' }

function tellRetired(file: string, { line, fingerprint }: ListedKey): string {
  return `${file}:${line}: ${fingerprint} came by a bundle and is retired; it is not adopted`
}

function tellEnd(file: string, ends: CaFileReading['ends']): string[] {
  return ends === undefined
    ? []
    : [`${file}:${ends}: sshd stops reading at this line; from there on nothing is adopted`]
}
