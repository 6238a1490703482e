import type { ConfigFiles } from '../../../agent/core/sshd-config/scan.ts'

/** Files that exist only here: absolute path → text. */
export function memoryFiles(files: Record<string, string>): ConfigFiles {
  return {
    read: path => files[path],
    list: folder => {
      const prefix = folder.endsWith('/') ? folder : `${folder}/`
      const below = Object.keys(files).filter(path => path.startsWith(prefix))
      return [...new Set(below.map(path => path.slice(prefix.length).split('/')[0] ?? ''))]
    },
  }
}
