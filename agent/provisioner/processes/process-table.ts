import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** The files of a process that we look at: those which need neither CAP_SYS_PTRACE nor its user id. */
export type ProcessFile =
  | 'cmdline'
  | 'comm'
  | 'status'
  | 'cgroup'
  | 'net/tcp'
  | 'net/tcp6'
  | 'net/unix'

/** The processes of the host, as proc(5) shows them. */
export interface ProcessTable {
  pids(): readonly number[]
  /** Those in the control group of a systemd service; none where it is not where systemd has it. */
  inService(unit: string): readonly number[]
  /** `undefined` where the process is gone or may not be looked at. */
  read(pid: number, file: ProcessFile): string | undefined
}

// cgroups(7): the unified hierarchy, or systemd's own beside version 1.
const HIERARCHIES = ['', 'systemd', 'unified']

/** The table under `/proc`, or where another host's is mounted. */
export function openProcessTable(proc = '/proc', cgroups = '/sys/fs/cgroup'): ProcessTable {
  return {
    pids: () =>
      readdirSync(proc)
        .filter(name => /^\d+$/.test(name))
        .map(Number),
    inService(unit) {
      for (const hierarchy of HIERARCHIES) {
        try {
          const path = join(cgroups, hierarchy, 'system.slice', unit, 'cgroup.procs')
          return (readFileSync(path, 'utf8').match(/\d+/g) ?? []).map(Number)
        } catch {}
      }
      return []
    },
    read(pid, file) {
      try {
        return readFileSync(join(proc, String(pid), file), 'utf8')
      } catch {
        return undefined
      }
    },
  }
}
