import { chmodSync, chownSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'

/** Where the daemon finds its secrets under an init without `LoadCredential=`; in memory, as /run is. */
export const CREDENTIALS_FOLDER = '/run/pomerium-host-agent-credentials'

/**
 * Copies the files to where the group `gid` may read them and only root may change them, as systemd's
 * credentials are (systemd.exec(5)). Throws the error of open(2) for a file that is not there.
 */
export function copyCredentials(files: readonly string[], gid: number): void {
  rmSync(CREDENTIALS_FOLDER, { recursive: true, force: true })
  mkdirSync(CREDENTIALS_FOLDER, { mode: 0o700 })
  for (const file of files) {
    const copy = join(CREDENTIALS_FOLDER, basename(file))
    writeFileSync(copy, readFileSync(file), { mode: 0o600 })
    chownSync(copy, 0, gid)
    chmodSync(copy, 0o440)
  }
  chownSync(CREDENTIALS_FOLDER, 0, gid)
  chmodSync(CREDENTIALS_FOLDER, 0o750)
}
