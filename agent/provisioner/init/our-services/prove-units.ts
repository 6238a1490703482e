import type { Config } from '../../../core/config/config.ts'
import {
  BOOT_SERVICE,
  PROVISIONER,
  REPAIR_SERVICE,
  SERVICE,
  unitsToStart,
  WATCH_SERVICE,
  WEBHOOK_SERVICE,
} from '../../../core/services/unit-drop-ins.ts'
import {
  failureOf,
  isActive,
  isOver,
  UNIT_PROPERTIES,
  type UnitProperties,
} from '../../../core/services/unit-failure.ts'
import type { Run } from '../../processes/run-command.ts'
import { type Look, waitUntilIdle } from '../../processes/wait-until-idle.ts'
import { showUnits } from '../systemd/show-units.ts'
import { type FailedUnit, reasonIn } from './failed-unit.ts'
import { systemctl } from './start-units.ts'

/** How long a service may take until it is idle, and the poll to its end, in milliseconds. */
const PATIENCE_MS = 60_000

/**
 * Runs each service once as its unit confines it, and looks at what is to wake it. That a service of ours
 * can't do its work is found here; that the source is silent or the host refuses is no failure of a unit.
 * What boot alone starts is looked at, and not run.
 */
export async function proveUnits(
  config: Config,
  { resident }: { resident: boolean },
  run: Run,
): Promise<FailedUnit[]> {
  const { wanted } = unitsToStart(config, { resident })
  const hears = wanted.includes('pomerium-host-agent-webhook.socket')
  const stay = [PROVISIONER, ...(hears ? [WEBHOOK_SERVICE] : []), ...(resident ? [SERVICE] : [])]
  const leave = resident ? [] : [SERVICE]
  const oneshots = [REPAIR_SERVICE, WATCH_SERVICE]
  const cutShort = await runInTurn([...oneshots, REPAIR_SERVICE], run)
  // One that is up already is left as it is.
  for (const unit of [...stay, ...leave]) await run(systemctl('start', unit))
  await settled(stay, leave, run)

  const wakers = wanted.filter(unit => ![...stay, BOOT_SERVICE].includes(unit))
  const seen = await show([...oneshots, ...stay, ...leave, ...wakers, BOOT_SERVICE], run)
  const failures = seen.flatMap(unit => {
    const id = unit.get('Id') ?? ''
    const down = wakers.includes(id) && !isActive(unit) ? 'is not up' : undefined
    // What it was at the last boot says nothing of the next one.
    const loaded = id !== BOOT_SERVICE || unit.get('LoadState') !== 'loaded'
    // The path unit may have it begun again by now.
    const failed = id === cutShort ? 'has failed' : undefined
    const why = (loaded ? failureOf(unit) : undefined) ?? failed ?? down
    return why === undefined ? [] : [{ unit: id, why }]
  })
  return Promise.all(
    failures.map(async failure => ({ ...failure, said: await lastWords(failure.unit, run) })),
  )
}

/**
 * Runs services that leave, each to its end; ends with the first that fails, and returns it. The watch
 * leaves a note for the repair, which the path unit starts over and over while the note is not taken: it
 * is left only where the repair works, and is taken before anything else wants its turn.
 */
async function runInTurn(units: readonly string[], run: Run): Promise<string | undefined> {
  for (const unit of units) {
    const { code } = await run(systemctl('start', unit))
    // Out of time, it is at it still.
    if (code !== 0 && code !== 124) return unit
  }
  return undefined
}

function settled(stay: readonly string[], leave: readonly string[], run: Run) {
  return waitUntilIdle(async () => {
    const units = await show([...stay, ...leave], run)
    return new Map(units.map(unit => [unit.get('Id') ?? '', lookOf(unit, leave)]))
  }, PATIENCE_MS)
}

function lookOf(unit: UnitProperties, leave: readonly string[]): Look {
  if (failureOf(unit) !== undefined || isOver(unit)) return 'over'
  if (!isActive(unit) || leave.includes(unit.get('Id') ?? '')) return 'busy'
  return { pid: Number(unit.get('MainPID')) }
}

async function show(units: readonly string[], run: Run): Promise<UnitProperties[]> {
  return (await showUnits(run, units, UNIT_PROPERTIES)).units
}

async function lastWords(unit: string, run: Run): Promise<string> {
  const { stdout } = await run([
    'journalctl',
    ...['--quiet', '--boot', '--no-pager', '--output=cat', '--lines=20', `--unit=${unit}`],
  ])
  return reasonIn(stdout.split('\n'))
}
