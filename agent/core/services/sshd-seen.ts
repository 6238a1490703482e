import { APPLY, bad, type Finding, warn } from '../outcome/finding.ts'

/** The sshd of this host, as it was found just now. */
export interface SshdSeen {
  kind: 'running' | 'idle' | 'per-connection' | 'stopped' | 'failed' | 'masked' | 'unmanaged'
  unit?: string
  /** The init's word for why it failed. */
  result?: string
  /** The init's word for why the socket can't start it. */
  load?: string
  /** Whether root's sshd is there and listens; missing where processes could not be seen. */
  listener?: boolean
  /** The process that listens, of a unit that its init takes for inactive or failed. */
  forgotten?: number
  /** The unit that is down while an sshd listens which it did not start. */
  insteadOf?: string
  /** The ports that it is configured to listen on, and those on which nothing does. */
  ports?: { wanted: readonly number[]; closed: readonly number[] }
  /** What starts it, for a person to type. */
  start?: string
}

/** What is not well with sshd itself; whether it goes by our keys is another matter. */
export function judgeSshd(seen: SshdSeen): Finding | undefined {
  const { unit = 'sshd' } = seen
  const start = `run: sudo ${seen.start ?? `systemctl start ${unit}`}`
  const down = (why: string, next = start) => bad('sshd-down', `sshd is not running: ${why}`, next)
  switch (seen.kind) {
    case 'idle':
      if (seen.load === undefined) return undefined
      return down(
        `its socket listens, and ${unit} is ${seen.load}`,
        seen.load === 'masked' ? unmask(unit) : `see: systemd-analyze verify ${unit}`,
      )
    case 'per-connection':
      return undefined
    case 'running':
      return seen.listener === false
        ? down(`no sshd listens in ${unit}`, `see: systemctl status ${unit}`)
        : (judgePorts(seen) ?? judgeHold(seen))
    case 'stopped':
      return down(`${unit} is stopped`)
    case 'failed':
      return down(`${unit} has failed (${seen.result || 'no reason given'})`, APPLY)
    case 'masked':
      return seen.listener
        ? warn('sshd-masked', `${unit} is masked: no boot brings sshd back`, unmask(unit))
        : down(`${unit} is masked`, `${unmask(unit)}; sudo systemctl start ${unit}`)
    case 'unmanaged':
      if (!seen.listener) return down('no init that we know starts it', 'start it')
      return seen.insteadOf === undefined
        ? undefined
        : bad(
            'sshd-by-hand',
            `the sshd that listens was started by hand: ${seen.insteadOf} is down`,
            `run: sudo systemctl start ${seen.insteadOf}`,
          )
  }
}

function judgePorts({ ports, unit = 'sshd' }: SshdSeen): Finding | undefined {
  if (ports === undefined || ports.closed.length === 0) return undefined
  const closed = ports.closed.join(', ')
  const next = `see: sudo sshd -T | grep -i listenaddress; systemctl status ${unit}`
  return ports.closed.length === ports.wanted.length
    ? bad('sshd-down', `sshd runs and listens on none of its ports: ${closed}`, next)
    : warn('sshd-port-closed', `sshd does not listen on port ${closed}`, next)
}

// Everybody gets in, and the next start of the unit finds the port taken. systemd 257 that has forgotten a
// service and hears of the end of its process aborts (service_sigchld_event): a start makes it know another.
function judgeHold({ forgotten, unit = 'sshd' }: SshdSeen): Finding | undefined {
  if (forgotten === undefined) return undefined
  const headline = `${unit} is down, and the sshd that it started before listens`
  const name = unit.replace(/\.service$/, '')
  const restart = `sudo systemctl restart ${name}`
  const next = `run: ${restart}; sudo kill ${forgotten}; ${restart}`
  return warn('sshd-forgotten', headline, next)
}

const unmask = (unit: string) => `run: sudo systemctl unmask ${unit}`
