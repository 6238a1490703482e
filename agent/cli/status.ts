import type { Config } from '../core/config/config.ts'
import { trustedUserCaKeys } from '../core/effective-config.ts'
import { addTallies, askedToWait, NO_NOTES, type Notes } from '../core/notes.ts'
import { optional } from '../core/optional.ts'
import { trustedKeys } from '../core/outcome.ts'
import { budgetOf } from '../core/restart-budget.ts'
import type { Status } from '../core/status.ts'
import { judge, type Known, type LastCycle, lastCycle, standingTrouble } from '../core/verdict.ts'
import type { Host } from '../provisioner/host.ts'
import { keysOnHost } from '../provisioner/keys-on-host.ts'
import { findPollClock } from '../provisioner/next-poll.ts'
import { observe } from '../provisioner/observe.ts'
import { isDamaged, readState } from '../provisioner/state.ts'
import { lookAtStatus } from '../provisioner/status-file.ts'
import { readStoodDown } from '../provisioner/stood-down.ts'
import { readNotes } from '../provisioner/textfile.ts'
import type { Invocation } from './invocation.ts'
import { onHost } from './on-host.ts'
import { type NextPoll, renderStatus, type StatusReport } from './render-status.ts'
import { print, printJson } from './screen.ts'

/** Silence for an hour, or for three polls, is no good sign; who can't read the config waits a day. */
const PATIENCE_MS = { least: 3_600_000, blind: 86_400_000 }

/** Says what this host trusts; changes nothing, asks nobody outside. */
export async function status(invocation: Invocation): Promise<number> {
  const { flags, config, host } = await onHost(invocation, { configIfReadable: true })
  const report = await look(host, config, new Date())
  if (flags.json) printJson(report)
  else for (const line of renderStatus(report, new Date())) print(line)
  return 0
}

async function look(host: Host, config: Config, now: Date): Promise<StatusReport> {
  const told = lookAtStatus(host)
  const notes = readNotes(host)
  const status = typeof told === 'object' ? told : undefined
  const turn = status && turnOf(status)
  const isRoot = process.getuid?.() === host.owner.uid
  const seen = isRoot ? await seeForOurselves(host, config, status, now) : undefined
  const since = new Map(status?.trusted.map(key => [key.fingerprint, key.since]))
  const trusted = seen?.trusted.map(key => ({
    ...key,
    ...optional('since', since.get(key.fingerprint)),
  }))
  const known: Known = {
    status: told,
    notes,
    trusted: trusted ?? status?.trusted,
    effective: seen?.effective ?? status?.effective,
    last: lastCycle(turn, notes.lastPoll),
    trouble: standingTrouble(turn, notes.lastPoll, status?.applies?.lastSuccess),
    stateDamaged: isRoot ? isDamaged(readState(host)) : status?.outcome.code === 'state-damaged',
    standsDown: isRoot ? readStoodDown(host) !== undefined : status?.standsDown === true,
    patienceMs: patience(config),
    now,
  }
  const rests = known.standsDown && known.trusted?.length === 0
  const nextPoll = host.tree || rests ? undefined : await nextPollOf(notes, now)
  return {
    verdict: judge(known),
    ...optional('trusted', known.trusted),
    ...optional('bundle', status?.held),
    ...optional('effective', known.effective),
    ...optional('last', known.last),
    ...optional('trouble', known.trouble),
    ...optional('lastSuccess', addTallies(notes, status?.applies ?? NO_NOTES).lastSuccess),
    ...optional('nextPoll', nextPoll),
    ...(host.tree ? { tree: true as const } : {}),
    ...(rests ? { standsDown: true as const } : {}),
    ...optional('restarts', status && restartsOf(status, now)),
    ...optional('clockSkewSeconds', notes.clockSkewSeconds),
    warnings: status?.outcome.warnings ?? [],
  }
}

// Root may look for itself; everybody else goes by what the provisioner saw.
async function seeForOurselves(
  host: Host,
  { sshd: { acceptFrom } }: Config,
  status: Status | undefined,
  now: Date,
) {
  const { sshd } = await observe(host, { restartDue: false }, acceptFrom)
  const effective =
    sshd.kind === 'readable'
      ? {
          // The provisioner knows of more that keeps certificates out than which file sshd names.
          value:
            trustedUserCaKeys(sshd.effective) === host.layout.caFile.path &&
            status?.effective?.value !== false,
          at: now.toISOString(),
        }
      : undefined
  return { trusted: trustedKeys(keysOnHost(host)), ...optional('effective', effective) }
}

function turnOf({ at, outcome: { outcome, code, message } }: Status): LastCycle {
  return { at, outcome, ...optional('code', code), message }
}

function patience({ source: { url, pollIntervalSeconds } }: Config): number {
  const { least, blind } = PATIENCE_MS
  return url === undefined ? blind : Math.max(least, 3 * pollIntervalSeconds * 1000)
}

async function nextPollOf(notes: Notes, now: Date): Promise<NextPoll | undefined> {
  const monotonicMs = Number(process.hrtime.bigint() / 1_000_000n)
  const clock = await findPollClock(now, monotonicMs)
  if (clock?.by === 'timer') {
    const wait = clock.at && askedToWait(notes, clock.at)
    return { by: 'timer', ...optional('at', wait ?? clock.at?.toISOString()) }
  }
  if (clock?.running === false) return { by: 'resident', stopped: true }
  const { nextPoll: at, held } = notes
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
