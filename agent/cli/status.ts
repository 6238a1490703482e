import { optional } from '../core/basics/when-defined.ts'
import { type Config, DEFAULT_CONFIG_FILE } from '../core/config/config.ts'
import { defaultConfig } from '../core/config/parse-config.ts'
import { patienceMs } from '../core/config/source-silence.ts'
import type { Unseen } from '../core/host/observation.ts'
import { EXIT } from '../core/outcome/exit-codes.ts'
import { bad, type Finding, wasFinding } from '../core/outcome/finding.ts'
import { findingsOf, judge, type Known, type LastCycle } from '../core/report/host-health.ts'
import { askedToWait, type PollRecord } from '../core/report/poll-record.ts'
import { reported } from '../core/report/reported.ts'
import type { Status } from '../core/report/status-record.ts'
import { budgetOf } from '../core/services/restart-budget.ts'
import { judgeSshd } from '../core/services/sshd-seen.ts'
import type { Host } from '../provisioner/host/host.ts'
import { type Look, lookAtHost } from '../provisioner/look-at-host.ts'
import { lookWithoutRoot } from '../provisioner/observe/look-without-root.ts'
import { seeServices } from '../provisioner/observe/see-services.ts'
import { seeSshd } from '../provisioner/observe/see-sshd.ts'
import { findPollClock } from '../provisioner/records/next-poll.ts'
import { lookAtStatus } from '../provisioner/records/status-file.ts'
import { readStoodDown } from '../provisioner/records/stood-down.ts'
import { readPollRecord } from '../provisioner/records/textfile.ts'
import { loadConfig } from './host/load-config.ts'
import { openHostFor } from './host/open-command-host.ts'
import {
  type NextPoll,
  type PrintedStatus,
  renderStatus,
  type StatusReport,
} from './host/render-status.ts'
import { type HostFlags, parseHostFlags } from './terminal/flags.ts'
import { type Invocation, UsageError } from './terminal/invocation.ts'
import { print, printJson } from './terminal/screen.ts'

/**
 * Says what this host trusts and whether all is well, by looking at the host itself; changes nothing,
 * asks nobody outside. A config that is broken, or that this user may not read, is a finding and no end.
 */
export async function status(invocation: Invocation): Promise<number> {
  const flags = parseHostFlags(invocation.args)
  const read = readConfig(flags, invocation)
  const host = await openHostFor(invocation, flags, read)
  const report = await look(host, read, new Date())
  if (flags.json) printJson(forPrograms(report))
  else for (const line of renderStatus(report, new Date())) print(line)
  return report.verdict.level === 'good' ? EXIT.converged : EXIT.notWell
}

interface ReadConfig {
  config: Config
  /** Whether it is this host's, and not the defaults in its place. */
  isOurs: boolean
  found: Finding[]
}

function readConfig(flags: HostFlags, invocation: Invocation): ReadConfig {
  try {
    const config = loadConfig(flags, invocation, { ifReadable: true })
    return { config, isOurs: config.source.url !== undefined, found: [] }
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    const [first = '', ...more] = error.message.split('\n')
    const others = more.length === 0 ? '' : ` (and ${more.length} more)`
    const headline = `nothing of ours can start: ${first}${others}`
    const next = 'mend it, then: sudo pomerium-host-agent configure'
    return { config: defaultConfig(), isOurs: false, found: [bad('config-broken', headline, next)] }
  }
}

function forPrograms({ verdict, ...rest }: StatusReport): PrintedStatus {
  return { well: verdict.level === 'good', ...verdict, ...rest }
}

async function look(host: Host, read: ReadConfig, now: Date): Promise<StatusReport> {
  const told = lookAtStatus(host)
  const polls = readPollRecord(host)
  const status = typeof told === 'object' ? told : undefined
  const seen = await seeForOurselves(host, read, { now, revokes: status?.revoked !== undefined })
  const { look } = seen
  const since = new Map(status?.trusted.map(key => [key.fingerprint, key.since]))
  const standsDown = look !== undefined && readStoodDown(host) !== undefined
  // What `remove` has given back is theirs.
  const ours = standsDown && look.isFound ? [] : look?.trusted
  const trusted = ours?.map(key => ({
    ...key,
    ...optional('since', since.get(key.fingerprint)),
  }))
  const patience = patienceMs(read.isOurs ? read.config : undefined)
  const report = reported(told, polls, { found: seen.found, patienceMs: patience, now })
  const known: Known = {
    ...report,
    ...optional('trusted', trusted),
    ...(look === undefined
      ? {}
      : {
          effective: effectiveBy(look, now),
          trouble: troubleNow(look, report.trouble, now),
          contested: look.refusal?.code === 'contested',
          standsDown,
        }),
  }
  const findings = findingsOf(known)
  const rests = known.standsDown && known.trusted?.length === 0
  const nextPoll = host.tree || rests ? undefined : await nextPollOf(polls, now)
  return {
    verdict: judge(known, findings),
    findings,
    ...optional('trusted', known.trusted),
    ...optional('revoked', look === undefined ? status?.revoked : look.revoked),
    ...optional('bundle', status?.held),
    ...optional('effective', known.effective),
    ...optional('last', known.last),
    ...optional('trouble', known.trouble),
    ...optional('lastSuccess', known.lastSuccess),
    ...optional('nextPoll', nextPoll),
    ...(host.tree ? { tree: true as const } : {}),
    ...(rests ? { standsDown: true as const } : {}),
    ...optional('restarts', status && restartsOf(status, now)),
    ...optional('clockSkewSeconds', polls.clockSkewSeconds),
    // What was found then has been looked at anew.
    warnings: (status?.outcome.warnings ?? []).filter(
      warning => look === undefined || !wasFinding(warning),
    ),
    unseen: seen.unseen,
  }
}

// Root may look for itself; everybody else sees the processes, the units and whose the files are, and
// goes by what the provisioner saw for the rest.
async function seeForOurselves(
  host: Host,
  { config, isOurs, found }: ReadConfig,
  { now, revokes }: { now: Date; revokes: boolean },
): Promise<{ look?: Look; found: Finding[]; unseen: Unseen[] }> {
  const { isRoot } = host
  // A broken config may name other files than the defaults do.
  const look = isRoot && found.length === 0 ? await lookAtHost(host, config, now) : undefined
  const files = look ?? (isRoot ? { found: [], unseen: [UNNAMED] } : lookWithoutRoot(host, revokes))
  if (host.tree) return { ...optional('look', look), found: [...found, ...files.found], unseen: [] }
  const [sshd, services] = await Promise.all([
    seeSshd(host, look?.effective),
    seeServices(host, isOurs ? config : undefined),
  ])
  const unset = isRoot && !isOurs && services.installed && found.length === 0 ? [NO_SOURCE] : []
  const asked = [...[judgeSshd(sshd) ?? []].flat(), ...services.found, ...files.found]
  return {
    ...optional('look', look),
    found: [...found, ...unset, ...asked],
    unseen: [...files.unseen, ...services.unseen],
  }
}

// What holds no setting is no broken config, and the services start by it as little.
const NO_SOURCE = bad(
  'config-broken',
  'nothing of ours can start: the config has no source.url',
  `say in ${DEFAULT_CONFIG_FILE} where the CA keys are published, then: sudo pomerium-host-agent configure`,
)

const UNNAMED: Unseen = {
  what: 'the keys and the drop-in',
  why: 'the config that names them is broken',
}

function effectiveBy({ inForce }: Look, now: Date): StatusReport['effective'] {
  return inForce === undefined ? undefined : { value: inForce, at: now.toISOString() }
}

/** What is refused now; what was refused before, and would not be now, is over. */
function troubleNow(
  { refusal }: Look,
  before: LastCycle | undefined,
  now: Date,
): LastCycle | undefined {
  if (refusal === undefined) return before?.outcome === 'host-refused' ? undefined : before
  const { code, message } = refusal
  return { at: now.toISOString(), outcome: 'host-refused', code, message }
}

async function nextPollOf(polls: PollRecord, now: Date): Promise<NextPoll | undefined> {
  const monotonicMs = Number(process.hrtime.bigint() / 1_000_000n)
  const clock = await findPollClock(now, monotonicMs)
  if (clock?.by === 'timer') {
    const wait = clock.at && askedToWait(polls, clock.at)
    return { by: 'timer', ...optional('at', wait ?? clock.at?.toISOString()) }
  }
  if (clock?.running === false) return { by: 'resident', stopped: true }
  const { nextPoll: at, held } = polls
  // What has gone by is under way, where systemd says that it is there at all.
  if (at === undefined || Date.parse(at) <= now.getTime()) return clock && { by: 'resident' }
  return { by: 'resident', at, ...(held ? { held } : {}) }
}

function restartsOf({ restarts }: Status, now: Date): StatusReport['restarts'] {
  const { recent, limit, total, due } = restarts
  const budget = budgetOf(recent, now.getTime(), limit)
  return {
    total,
    due,
    ...(budget === undefined
      ? {}
      : {
          used: budget.counted.length,
          left: Math.max(0, budget.most - budget.counted.length),
          withinSeconds: budget.windowMs / 1000,
        }),
  }
}
