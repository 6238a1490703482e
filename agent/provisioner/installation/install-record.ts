import { chmodSync, lstatSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import {
  base64,
  count,
  flag,
  listOf,
  oneOf,
  parseForm,
  path,
  shape,
} from '../../core/basics/stored-form.ts'
import { writeFileAtomically } from '../files/atomic-write.ts'
import { realFileSystem } from '../files/file-system.ts'
import { lookAt } from '../files/read-file-state.ts'
import { SetupError } from './setup-error.ts'

/** What the set-up made, from before it was made: the uninstall takes away just this. */
export interface InstallRecord {
  version: 1
  /** Folders that were not there before, the outer ones first. */
  folders: string[]
  /** Files that were not there before. */
  files: string[]
  /** Files that were there and that we changed, as they were. */
  originals: { path: string; content: string; mode: number; uid: number; gid: number }[]
  /** The system user was not there before. */
  madeUser: boolean
}

export const RECORD_FILE = '/var/lib/pomerium-host-agent/install.json'

const FRESH: InstallRecord = {
  version: 1,
  folders: [],
  files: [],
  originals: [],
  madeUser: false,
}

const isRecord = shape({
  version: oneOf(1),
  folders: listOf(path),
  files: listOf(path),
  originals: listOf(shape({ path, content: base64, mode: count, uid: count, gid: count })),
  madeUser: flag,
})

const damagedRecord = (file: string) =>
  `${file} is damaged, which says what was on this host before; restore it from a backup, or move it away: sudo mv ${file} ${file}.damaged; what was made before then stays, and is yours to remove (/etc/pomerium, the user pomerium-host-agent)`

/** The host as the set-up writes to it. */
export interface Site {
  /** Where a path of the host lies for this process. */
  at(path: string): string
  recordFile: string
  record: InstallRecord
  /** Paths that this run has changed. */
  changed: string[]
}

export function openSite(at: Site['at'], recordFile: string): Site {
  const file = lookAt(realFileSystem, at(recordFile))
  if (file.kind === 'missing') {
    return { at, recordFile, record: structuredClone(FRESH), changed: [] }
  }
  const json = file.kind === 'file' ? file.content.toString() : ''
  const record = parseForm(json, isRecord)
  if (record === undefined) throw new SetupError(damagedRecord(recordFile))
  return { at, recordFile, record, changed: [] }
}

/** Writes what is about to be made into the record, so that a kill in between loses nothing. */
export function note(site: Site, add: (record: InstallRecord) => void): void {
  add(site.record)
  const place = site.at(site.recordFile)
  const folder = dirname(place)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  if ((lstatSync(folder).mode & 0o777) !== 0o700) chmodSync(folder, 0o700)
  const content = Buffer.from(`${JSON.stringify(site.record, null, 2)}\n`)
  const { uid, gid } = lstatSync(folder)
  writeFileAtomically(realFileSystem, place, { content, mode: 0o600, uid, gid })
}
