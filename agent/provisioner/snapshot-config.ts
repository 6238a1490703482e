import type { ConfigSnapshot } from '../core/config-snapshot.ts'
import type { Unseen } from '../core/observation.ts'
import type { Directive } from '../core/sshd-config/directive.ts'
import { scanSshdConfig } from '../core/sshd-config/scan.ts'
import { errorCode } from './file-system.ts'
import type { Host } from './host.ts'

/** Reads all files of sshd's configuration, starting where sshd starts, and keeps what they hold. */
export function snapshotConfig(
  { fs, at, mainConfig, layout }: Host,
  unseen: Unseen[],
): { config: ConfigSnapshot; directives: Directive[] } {
  const texts = new Map<string, string>()
  const folders = new Map<string, readonly string[]>()
  const tell = (path: string, error: unknown) => {
    const code = errorCode(error)
    if (code === 'EACCES') unseen.push({ what: path, why: 'only root may read it' })
    else if (!['ENOENT', 'ENOTDIR', 'EISDIR'].includes(code ?? '')) throw error
  }
  const read = (path: string) => {
    const kept = texts.get(path)
    if (kept !== undefined) return kept
    try {
      const text = fs.readFileSync(at(path), 'utf8')
      texts.set(path, text)
      return text
    } catch (error) {
      tell(path, error)
      return undefined
    }
  }
  const list = (folder: string) => {
    try {
      const names = folders.get(folder) ?? fs.readdirSync(at(folder))
      folders.set(folder, names)
      return names
    } catch (error) {
      tell(folder, error)
      return []
    }
  }
  const directives = scanSshdConfig(mainConfig, { read, list })
  // Where our drop-ins would lie, also if nothing includes that folder yet.
  list(layout.dropInFolder.path)
  return { config: { main: mainConfig, texts, folders }, directives }
}
