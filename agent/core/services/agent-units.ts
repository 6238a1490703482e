import { bad, type Finding, type FindingCode, warn } from '../outcome/finding.ts'
import { describeStatus } from './unit-failure.ts'

/** A unit of ours: what is lost where it does not do its work, and how bad that is. */
interface AgentUnit {
  lost: string
  level: Finding['level']
  /** Runs at boot and ends: that it is not up says nothing. */
  atBoot?: true
  /** What starts it: while that is wanted it must be there, up or not. */
  startedBy?: string
}

const FOLLOWING = 'the agent has stopped following the source'
const WRITING = 'the agent can put nothing in force'
const HEARING = 'no rotation webhook is heard'
const SEEING = 'drift is seen no more'
const REPAIRING = 'drift is put right no more'
const BOOTING = 'nothing is put right at boot'

/** Our units, which `status` asks about one by one; one that a release does not have is left out. */
export const AGENT_UNITS: ReadonlyMap<string, AgentUnit> = new Map([
  ['pomerium-host-agent.timer', { lost: FOLLOWING, level: 'bad' }],
  [
    'pomerium-host-agent.service',
    { lost: FOLLOWING, level: 'bad', startedBy: 'pomerium-host-agent.timer' },
  ],
  ['pomerium-host-agent-provisioner.socket', { lost: WRITING, level: 'bad' }],
  [
    'pomerium-host-agent-provisioner.service',
    { lost: WRITING, level: 'bad', startedBy: 'pomerium-host-agent-provisioner.socket' },
  ],
  ['pomerium-host-agent-webhook.socket', { lost: HEARING, level: 'warn' }],
  [
    'pomerium-host-agent-webhook.service',
    { lost: HEARING, level: 'warn', startedBy: 'pomerium-host-agent-webhook.socket' },
  ],
  ['pomerium-host-agent-watch.path', { lost: SEEING, level: 'warn' }],
  [
    'pomerium-host-agent-watch.timer',
    { lost: SEEING, level: 'warn', startedBy: 'pomerium-host-agent-watch.path' },
  ],
  [
    'pomerium-host-agent-watch.service',
    { lost: SEEING, level: 'warn', startedBy: 'pomerium-host-agent-watch.path' },
  ],
  ['pomerium-host-agent-repair.path', { lost: REPAIRING, level: 'warn' }],
  [
    'pomerium-host-agent-repair.service',
    { lost: REPAIRING, level: 'warn', startedBy: 'pomerium-host-agent-repair.path' },
  ],
  ['pomerium-host-agent-boot.service', { lost: BOOTING, level: 'warn', atBoot: true }],
])

/** A unit as its init has it, in the words of `systemctl show`. */
export interface UnitSeen {
  unit: string
  /** `loaded`, `masked`, `not-found`, … */
  load: string
  /** `active`, `activating`, `inactive`, `failed`, … */
  active: string
  /** `auto-restart`, `elapsed`, … */
  sub: string
  /** How its last run ended: `success`, `exit-code`, … */
  result: string
  /** The exit status of the last run, of one that ended by itself. */
  status?: number
  /** `enabled`, `disabled`, … */
  file: string
  /** How often in a row its init has started it again, and for how long it is up, in seconds. */
  restarts?: { count: number; upSeconds: number }
  /** What starts it; `systemctl enable --now`, if not given. */
  start?: string
}

/** What of ours does not do its work. `wanted`: those that must be up, and be so again after a boot. */
export function judgeUnits(units: readonly UnitSeen[], wanted: readonly string[]): Finding[] {
  return units.flatMap(seen => {
    const { unit } = seen
    // Other inits have the services alone, by their bare names.
    const known = AGENT_UNITS.get(unit) ?? AGENT_UNITS.get(`${unit}.service`)
    const { lost, level, atBoot, startedBy } = known ?? OTHER
    const say = (code: FindingCode, what: string, next: string) => [
      (level === 'bad' ? bad : warn)(code, `${lost}: ${unit} ${what}`, next),
    ]
    const failure = failureOf(seen)
    if (failure !== undefined) {
      const isService = unit.endsWith('.service')
      const next = isService
        ? `see: journalctl -n 20 -u ${unit}`
        : `run: sudo systemctl restart ${unit}`
      return say('agent-failing', failure, next)
    }
    const isWanted = wanted.includes(unit)
    if (!isWanted && !wanted.includes(startedBy ?? '')) return []
    if (seen.load !== 'loaded') return say('agent-stopped', ...describeLoad(unit, seen.load))
    if (!isWanted) return []
    const start = `run: sudo ${seen.start ?? `systemctl enable --now ${unit}`}`
    const over = seen.sub === 'elapsed'
    const isUp = atBoot || ['active', 'activating', 'reloading'].includes(seen.active)
    if (over || !isUp) {
      const again = over ? `run: sudo systemctl restart ${unit}` : start
      return say('agent-stopped', over ? 'has run out' : 'is stopped', again)
    }
    return FORGOTTEN_AT_BOOT.includes(seen.file)
      ? [warn('agent-disabled', `${unit} does not come back after a boot`, start)]
      : []
  })
}

const OTHER: AgentUnit = { lost: FOLLOWING, level: 'bad' }

/** Of `systemctl is-enabled` what does not outlive a boot. */
const FORGOTTEN_AT_BOOT = ['disabled', 'enabled-runtime', 'linked', 'linked-runtime', 'static']

// The load state of org.freedesktop.systemd1(5), and what to do about it.
function describeLoad(unit: string, load: string): [what: string, next: string] {
  switch (load) {
    case 'masked':
      return ['is masked', `run: sudo systemctl unmask ${unit}`]
    case 'not-found':
      return ['is not there', 'run: sudo pomerium-host-agent configure']
    default:
      return [`can't be loaded (${load})`, `see: systemd-analyze verify ${unit}`]
  }
}

/** Starts in a row after which one that is up is not believed yet, and for how many seconds. */
const LOOP = { restarts: 3, seconds: 60 }

function failureOf({ active, sub, result, status, restarts, load }: UnitSeen): string | undefined {
  if (load !== 'loaded') return undefined
  const why = describeEnd(result, status)
  if (active === 'failed') return `has failed (${why})`
  if (sub.startsWith('auto-restart')) return `fails again and again (${why})`
  if (
    restarts !== undefined &&
    restarts.count >= LOOP.restarts &&
    restarts.upSeconds < LOOP.seconds
  ) {
    return `was started again ${restarts.count} times, last ${restarts.upSeconds} s ago`
  }
  return active === 'inactive' && result !== 'success' && result !== ''
    ? `failed the last time (${why})`
    : undefined
}

function describeEnd(result: string, status: number | undefined): string {
  if (result !== 'exit-code' || status === undefined) return result || 'no reason given'
  return describeStatus(status)
}
