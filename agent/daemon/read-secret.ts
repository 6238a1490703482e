import { readFileSync } from 'node:fs'
import { basename, join } from 'node:path'

/**
 * Reads a secret that the config names. Under systemd root's file is handed over by
 * `LoadCredential=` (systemd.exec(5)) under its base name; without, the file itself must be
 * readable. The text is trimmed: a token has no newline, a file made by an editor does.
 */
export function readSecret(
  path: string,
  credentials: string | undefined,
  at: (path: string) => string,
): string {
  if (credentials !== undefined) {
    try {
      return readFileSync(join(credentials, basename(path)), 'utf8').trim()
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
    }
  }
  return readFileSync(at(path), 'utf8').trim()
}
