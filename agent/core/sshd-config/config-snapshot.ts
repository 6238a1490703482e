import type { Directive } from './directive.ts'
import { type ConfigFiles, scanSshdConfig } from './scan.ts'
import type { Syntax } from './syntax.ts'

/** sshd's configuration as it lay on the host at one moment; all of it bytes (`sshd-config/bytes.ts`). */
export interface ConfigSnapshot {
  /** How the sshd of this host takes a line apart. */
  syntax: Syntax
  /** The file that sshd starts from. */
  main: string
  /** What every file holds that was read, by path. */
  texts: ReadonlyMap<string, string>
  /** The names in every folder that was listed, by path. */
  folders: ReadonlyMap<string, readonly string[]>
  /** Other spellings of the drop-ins' folder, by way of links. */
  spellings?: ReadonlyMap<string, string>
}

// Everything that is decided is decided from the same lines.
const scanned = new WeakMap<ConfigSnapshot, Directive[]>()

/** What the configuration sets. */
export function scanOf(snapshot: ConfigSnapshot): readonly Directive[] {
  const kept = scanned.get(snapshot) ?? scanWith(snapshot, new Map())
  scanned.set(snapshot, kept)
  return kept
}

/** What the configuration would set with some files changed; `undefined` takes a file away. */
export function scanWith(
  snapshot: ConfigSnapshot,
  changes: ReadonlyMap<string, string | undefined>,
): Directive[] {
  const known = (folder: string) => snapshot.spellings?.get(folder) ?? folder
  const files: ConfigFiles = {
    known,
    read: path => (changes.has(path) ? changes.get(path) : snapshot.texts.get(path)),
    list: spelled => {
      const folder = known(spelled)
      const names = new Set(snapshot.folders.get(folder) ?? [])
      for (const [path, text] of changes) {
        const at = path.lastIndexOf('/')
        if (path.slice(0, at) !== folder) continue
        if (text === undefined) names.delete(path.slice(at + 1))
        else names.add(path.slice(at + 1))
      }
      return [...names]
    },
  }
  return scanSshdConfig(snapshot.main, files, snapshot.syntax)
}
