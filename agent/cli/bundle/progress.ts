import type { HostReport } from '../../publisher/notify/notify.ts'

const WIDTH = 30

export interface Progress {
  hear(report: HostReport): void
  /** Takes the bar away. */
  end(): void
}

/** A bar on standard error where that is a terminal, and nothing elsewhere. */
export function showProgress(total: number): Progress {
  const standing = new Map<string, HostReport['state']>()
  const { stderr } = process
  const count = (state: HostReport['state']) =>
    [...standing.values()].filter(each => each === state).length
  const draw = () => {
    const done = count('converged')
    const filled = total === 0 ? WIDTH : Math.floor((done / total) * WIDTH)
    const bar = '█'.repeat(filled) + '░'.repeat(WIDTH - filled)
    const rest = (['waiting', 'unreachable', 'failed'] as const)
      .map(state => [count(state), state] as const)
      .filter(([number]) => number > 0)
      .map(([number, state]) => `, ${number} ${state}`)
    stderr.write(`\r\x1b[K${bar} ${done}/${total}${rest.join('')}`)
  }
  if (stderr.isTTY) draw()
  return {
    hear({ host, state }) {
      standing.set(host, state)
      if (stderr.isTTY) draw()
    },
    end() {
      if (stderr.isTTY) stderr.write('\r\x1b[K')
    },
  }
}
