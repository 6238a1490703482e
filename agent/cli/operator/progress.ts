import type { HostReport } from '../../publisher/notify/notify.ts'
import { WIDTH } from '../terminal/screen.ts'

const BAR = 20

export interface Progress {
  update(report: Pick<HostReport, 'host' | 'state'>): void
  /** Takes the bar away. */
  end(): void
}

/** Where each host stands; `undefined`: it has not answered yet. */
type Standings = ReadonlyMap<string, HostReport['state'] | undefined>

/** A bar on standard error where that is a terminal, and nothing elsewhere. */
export function showProgress(hosts: Iterable<string>): Progress {
  const standings = new Map<string, HostReport['state'] | undefined>()
  for (const host of hosts) standings.set(host, undefined)
  const { stderr } = process
  const draw = () => stderr.write(`\r\x1b[K${renderProgress(standings)}`)
  if (stderr.isTTY) draw()
  return {
    update({ host, state }) {
      standings.set(host, state)
      if (stderr.isTTY) draw()
    },
    end() {
      if (stderr.isTTY) stderr.write('\r\x1b[K')
    },
  }
}

/**
 * How many have come, and the names of those that are awaited, as many as a line of 80 columns has room for.
 * One that has said no is counted alone: nobody waits for it.
 */
export function renderProgress(standings: Standings): string {
  const states = [...standings.values()]
  const count = (state: HostReport['state']) => states.filter(each => each === state).length
  const total = standings.size
  const done = count('converged')
  const filled = total === 0 ? BAR : Math.floor((done / total) * BAR)
  const bar = '█'.repeat(filled) + '░'.repeat(BAR - filled)
  const rest = (['waiting', 'unreachable', 'failed'] as const)
    .map(state => [count(state), state] as const)
    .filter(([number]) => number > 0)
    .map(([number, state]) => `, ${number} ${state}`)
  const head = `${bar} ${done}/${total}${rest.join('')}`
  const awaited = [...standings]
    .filter(([, state]) => state !== 'converged' && state !== 'failed')
    .map(([host]) => host)
  return head + namesFor(awaited, WIDTH - head.length)
}

// Whole names; what is left over is told by a number.
function namesFor(awaited: readonly string[], room: number): string {
  let names = ':'
  let fits = ''
  for (const [at, name] of awaited.entries()) {
    names += ` ${name}`
    if (names.length > room) break
    const left = awaited.length - at - 1
    const text = left === 0 ? names : `${names} +${left}`
    if (text.length <= room) fits = text
  }
  return fits
}
