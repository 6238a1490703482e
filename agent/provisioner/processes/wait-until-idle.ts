import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

const LOOK_MS = 250
/** Looks in a row at which a service must have been idle: a second and a half. */
const LOOKS = 6

/** What a look at a service finds: it is on its way, or over, or the process of one that stays. */
export type Look = 'busy' | 'over' | { pid: number }

/**
 * Waits until each service is over, or waits for somebody to come: one that does has not computed for a
 * while, and is neither at it nor waiting for the disk. Gives up after `patienceMs`. Returns those that
 * were still busy then.
 */
export async function waitUntilIdle(
  look: () => Promise<ReadonlyMap<string, Look>>,
  patienceMs: number,
): Promise<string[]> {
  const until = performance.now() + patienceMs
  const idle = new Map<string, { at: string; looks: number }>()
  const isBusy = (name: string, seen: Look) => {
    if (typeof seen === 'string') return seen === 'busy'
    const at = idleCpuTime(seen.pid)
    const before = idle.get(name)
    const looks = at !== undefined && before?.at === at ? before.looks + 1 : 0
    idle.set(name, { at: at ?? '', looks })
    return looks < LOOKS
  }
  for (;;) {
    const busy = [...(await look())].flatMap(([name, seen]) => (isBusy(name, seen) ? [name] : []))
    if (busy.length === 0 || performance.now() > until) return busy
    await sleep(LOOK_MS)
  }
}

/** A process that sleeps, and the time it has computed so far; `undefined` where it does not sleep (proc(5)). */
function idleCpuTime(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The name in parentheses may hold anything.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'S' ? `${pid} ${fields[11]} ${fields[12]}` : undefined
  } catch {
    return undefined
  }
}
