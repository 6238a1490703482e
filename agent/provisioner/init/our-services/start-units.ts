import { DEFAULT_CONFIG_FILE } from '../../../core/config/config.ts'
import { SERVICE_ENVIRONMENT_FILE } from '../../../core/services/service-environment.ts'
import {
  PROVISIONER,
  REPAIR_SERVICE,
  SERVICE,
  startableNow,
  WEBHOOK_SERVICE,
} from '../../../core/services/unit-drop-ins.ts'
import type { Site } from '../../installation/install-record.ts'
import { runOrThrow } from '../../installation/run-or-throw.ts'
import type { Run } from '../../processes/run-command.ts'
import { showUnits } from '../systemd/show-units.ts'
import { UNITS } from './unit-files.ts'

export interface UnitsWish {
  wanted: string[]
  unwanted: string[]
  /** The program itself has changed: what runs of it is to make room for the new one. */
  renewed: boolean
}

/** Makes systemd see what was laid, and wakes what is to wake us. Touches nothing that is right. */
export async function startUnits(site: Site, wish: UnitsWish, run: Run) {
  const changed = site.changed.filter(path => path.startsWith(`${UNITS}/`))
  const isChanged = (unit: string) =>
    changed.some(path => path === `${UNITS}/${unit}` || path.startsWith(`${UNITS}/${unit}.d`))
  const isActive = async (unit: string) => (await run(systemctl('is-active', unit))).code === 0
  // One that stays has read these when it started.
  const read = [SERVICE_ENVIRONMENT_FILE, DEFAULT_CONFIG_FILE]
  const otherSettings = site.changed.some(path => read.includes(path))
  if (changed.length > 0) await runOrThrow(run, systemctl('daemon-reload'))
  await enable(wish, run)
  // It reads its settings when it starts, which its socket has it do when somebody comes.
  await makeWay(WEBHOOK_SERVICE, run)
  // The service itself leaves when it has nothing to do; one that was to stay has a changed drop-in.
  for (const unit of wish.unwanted.filter(each => each !== SERVICE)) {
    await runOrThrow(run, systemctl('stop', unit))
  }

  // A socket is not opened anew beneath the service that serves it. One of the root wing is let finish.
  const sockets = wish.wanted.filter(unit => unit.endsWith('.socket') && isChanged(unit))
  const stale = wish.renewed || sockets.length > 0
  if (stale || isChanged(PROVISIONER)) await makeWay(PROVISIONER, run)
  if (stale || isChanged(SERVICE) || otherSettings) await makeWay(SERVICE, run)
  // One that does not come up is found where all are proved, with its reason.
  for (const unit of wish.wanted.filter(isChanged)) {
    if (await isActive(unit)) await run(systemctl('restart', unit))
  }
  const asleep: string[] = []
  for (const unit of startableNow(wish.wanted)) {
    if (!(await isActive(unit))) asleep.push(unit)
  }
  if (asleep.length > 0) await run(systemctl('start', ...asleep))
  for (const unit of asleep) if (await isActive(unit)) site.changed.push(unit)
}

// Whoever comes to its socket meanwhile has it started, and so cancels the stop (systemd's job mode `replace`);
// a restart goes together with that start.
async function makeWay(service: string, run: Run): Promise<void> {
  const { code } = await run(systemctl('stop', service))
  if (code !== 0) await runOrThrow(run, systemctl('try-restart', service))
}

/** Has the units start at the next boot; also in an image, where nothing runs. */
export async function enable({ wanted, unwanted }: UnitsWish, run: Run): Promise<void> {
  const isEnabled = async (unit: string) => (await run(systemctl('is-enabled', unit))).code === 0
  for (const unit of wanted) {
    if (!(await isEnabled(unit))) await runOrThrow(run, systemctl('enable', unit))
  }
  for (const unit of unwanted) {
    if (await isEnabled(unit)) await runOrThrow(run, systemctl('disable', unit))
  }
}

/** Stops all of ours, the wakers first, and forgets that they were enabled. */
export async function stopUnits(units: string[], running: boolean, run: Run) {
  if (running) {
    await runOrThrow(run, systemctl('stop', ...units))
    await stopLoaded([SERVICE, WEBHOOK_SERVICE], run)
    // They end what they are at by themselves, for which they may be waiting for the lock.
    await stopLoaded([PROVISIONER, REPAIR_SERVICE], run)
    // One that was stopped before it began counts as failed.
    await runOrThrow(run, systemctl('reset-failed', 'pomerium-host-agent*'))
  }
  await runOrThrow(run, systemctl('disable', ...units))
}

// systemctl(1) fails to stop what is not there, as where somebody has taken a unit's file away.
async function stopLoaded(names: readonly string[], run: Run): Promise<void> {
  const { units } = await showUnits(run, names, ['Id', 'LoadState'])
  const loaded = units.filter(unit => unit.get('LoadState') !== 'not-found')
  const ids = loaded.flatMap(unit => unit.get('Id') ?? [])
  if (ids.length > 0) await runOrThrow(run, systemctl('stop', ...ids))
}

export const systemctl = (verb: string, ...units: string[]) => [
  'systemctl',
  '--quiet',
  verb,
  ...units,
]
