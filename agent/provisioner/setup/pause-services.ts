import { startableNow } from '../../core/services/unit-drop-ins.ts'
import { findInitHere } from '../init/find-init.ts'
import { runOrThrow, stopUnits, systemctl } from '../init/our-services/lay-units.ts'
import { restScripts, resumeScripts, scriptsUp } from '../init/our-services/scripts.ts'
import { showUnits } from '../init/systemd/show-units.ts'
import { type Run, runCommand } from '../processes/run-command.ts'
import { NO_SERVICES, type Services } from '../records/stood-down.ts'

const run: Run = argv => runCommand(argv, { timeoutMs: 180_000 })

/** What of ours init starts at boot, and what is up; nothing where no init that we know is here. */
export async function findServices(): Promise<Services> {
  const { init } = findInitHere()
  if (init === undefined) return NO_SERVICES
  return init === 'systemd' ? unitsUp() : scriptsUp(init, run)
}

/** Stops them, and keeps boot from starting them; the units and scripts stay. */
export async function restServices(services: Services): Promise<void> {
  const { init, running } = findInitHere()
  const all = [...new Set([...services.enabled, ...services.started])]
  if (init === undefined || all.length === 0) return
  if (init === 'systemd') await stopUnits(all, running, run)
  else await restScripts(init, services, running, run)
}

/** Puts them up as they were. */
export async function resumeServices(services: Services): Promise<void> {
  const { init, running } = findInitHere()
  if (init === undefined) return
  if (init !== 'systemd') return resumeScripts(init, services, running, run)
  const { enabled } = services
  // What boot starts was up, or would have been by the next one.
  const started = startableNow([...new Set([...enabled, ...services.started])])
  if (enabled.length > 0) await runOrThrow(run, systemctl('enable', ...enabled))
  if (started.length > 0 && running) await runOrThrow(run, systemctl('start', ...started))
}

// All that systemd knows of ours, wherever it was laid. A service that only runs for a moment is none
// to start again, and what has no [Install] is started by another unit.
async function unitsUp(): Promise<Services> {
  const list = [...systemctl('list-unit-files', 'pomerium-host-agent*'), '--plain', '--no-legend']
  const { stdout } = await run(list)
  const names = stdout.split('\n').flatMap(line => line.split(/\s+/)[0] || [])
  if (names.length === 0) return NO_SERVICES
  const { units } = await showUnits(run, names, ['Id', 'ActiveState', 'UnitFileState'])
  const those = (wanted: (state: string, active: string, id: string) => boolean) =>
    units.flatMap(unit => {
      const id = unit.get('Id') ?? ''
      const [state, active] = [unit.get('UnitFileState') ?? '', unit.get('ActiveState') ?? '']
      return wanted(state, active, id) ? [id] : []
    })
  const enabled = those(state => state.startsWith('enabled'))
  const isUp = (active: string) => active === 'active' || active === 'activating'
  const started = those(
    (state, active, id) =>
      isUp(active) && (enabled.includes(id) || (state === 'disabled' && !id.endsWith('.service'))),
  )
  return { enabled, started }
}
