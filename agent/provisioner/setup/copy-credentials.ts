import { chmodSync, chownSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'

/** Where the daemon finds its secrets under an init without `LoadCredential=`; in memory, as /run is. */
export const HANDED_OVER = '/run/pomerium-host-agent-credentials'

/**
 * Copies the files to where the group `gid` may read them and only root may change them, as systemd's
 * credentials are (systemd.exec(5)). Throws the error of open(2) for a file that is not there.
 */
export function handOver(files: readonly string[], gid: number): void {
  rmSync(HANDED_OVER, { recursive: true, force: true })
  mkdirSync(HANDED_OVER, { mode: 0o700 })
  for (const file of files) {
    const copy = join(HANDED_OVER, basename(file))
    writeFileSync(copy, readFileSync(file), { mode: 0o600 })
    chownSync(copy, 0, gid)
    chmodSync(copy, 0o440)
  }
  chownSync(HANDED_OVER, 0, gid)
  chmodSync(HANDED_OVER, 0o750)
}
