import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** The files of a process that we look at: those which need neither CAP_SYS_PTRACE nor its user id. */
export type ProcessFile = 'cmdline' | 'comm' | 'status' | 'cgroup' | 'net/tcp' | 'net/tcp6'

/** The processes of the host, as proc(5) shows them. */
export interface ProcessTable {
  pids(): readonly number[]
  /** `undefined` where the process is gone or may not be looked at. */
  read(pid: number, file: ProcessFile): string | undefined
}

/** The table under `/proc`, or where another host's is mounted. */
export function openProcessTable(proc = '/proc'): ProcessTable {
  return {
    pids: () =>
      readdirSync(proc)
        .filter(name => /^\d+$/.test(name))
        .map(Number),
    read(pid, file) {
      try {
        return readFileSync(join(proc, String(pid), file), 'utf8')
      } catch {
        return undefined
      }
    },
  }
}
