import type { Directive } from './sshd-config/directive.ts'
import { type ConfigFiles, scanSshdConfig } from './sshd-config/scan.ts'

/** sshd's configuration as it lay on the host at one moment. */
export interface ConfigSnapshot {
  /** The file that sshd starts from. */
  main: string
  /** The text of every file that was read, by path. */
  texts: ReadonlyMap<string, string>
  /** The names in every folder that was listed, by path. */
  folders: ReadonlyMap<string, readonly string[]>
}

/** What the configuration would set with some files changed; `undefined` takes a file away. */
export function scanWith(
  snapshot: ConfigSnapshot,
  changes: ReadonlyMap<string, string | undefined> = new Map(),
): Directive[] {
  const files: ConfigFiles = {
    read: path => (changes.has(path) ? changes.get(path) : snapshot.texts.get(path)),
    list: folder => {
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
  return scanSshdConfig(snapshot.main, files)
}
