import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { LaidFile } from '../../installation/lay-file.ts'
import type { Run } from '../../processes/run-command.ts'

export const UNITS = '/etc/systemd/system'

/**
 * The units of the release, each as it is laid where an administrator's own are. A drop-in named
 * `systemd-N.conf` is for version N and newer: an older one would warn of what it does not know.
 */
export function unitFiles(folder: string, systemd: number): LaidFile[] {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).toSorted()
  return names.flatMap(name => {
    if (Number(/\/systemd-(\d+)\.conf$/.exec(name)?.[1] ?? 0) > systemd) return []
    const from = join(folder, name)
    if (!statSync(from).isFile()) return []
    const kind = /\.(sysusers|tmpfiles)\.conf$/.exec(name)?.[1]
    const path = kind === undefined ? `${UNITS}/${name}` : `/etc/${kind}.d/pomerium-host-agent.conf`
    return [{ path, content: readFileSync(from), mode: 0o644, uid: 0, gid: 0 }]
  })
}

/** The version of systemd, by its own word; needs no systemd that runs. */
export async function systemdVersion(run: Run): Promise<number> {
  const { stdout } = await run(['systemctl', '--version'])
  return Number(/^systemd (\d+)/.exec(stdout)?.[1] ?? 0)
}
