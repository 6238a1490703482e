import { readFileSync } from 'node:fs'
import type { ProcessTable } from '../../processes/process-table.ts'
import { type Look, waitUntilIdle } from '../../processes/wait-until-idle.ts'
import { type FailedUnit, reasonIn } from './failed-unit.ts'

/**
 * Our services under an init without units, and the words that each starts the program with. The one that
 * is asked comes before the one that asks.
 */
export const STARTED_WITH: ReadonlyMap<string, string> = new Map([
  ['pomerium-host-agent-provisioner', 'provision'],
  ['pomerium-host-agent', 'run --resident'],
])

/** An init that starts a service again does so after five seconds. */
const PATIENCE_MS = 20_000

/**
 * Looks whether each service has a process that stays: the script's own word is of what keeps it, which is
 * up also while that starts it again and again. `log` is where the services write.
 */
export async function proveScripts(processes: ProcessTable, log: string): Promise<FailedUnit[]> {
  const look = async () => {
    const running = new Map<string, number>()
    for (const pid of processes.pids()) {
      const line = processes.read(pid, 'cmdline')?.split('\0').join(' ').trim()
      const words = line === undefined ? undefined : /agent\/main\.js (.*)$/.exec(line)?.[1]
      if (words !== undefined) running.set(words, pid)
    }
    return new Map(
      [...STARTED_WITH].map(([name, words]): [string, Look] => {
        const pid = running.get(words)
        return [name, pid === undefined ? 'busy' : { pid }]
      }),
    )
  }
  const busy = await waitUntilIdle(look, PATIENCE_MS)
  if (busy.length === 0) return []
  const said = reasonIn(lastLines(log))
  return busy.map(unit => ({ unit, why: 'does not stay up', said }))
}

function lastLines(log: string): string[] {
  try {
    return readFileSync(log, 'utf8').trimEnd().split('\n').slice(-20)
  } catch {
    return []
  }
}
