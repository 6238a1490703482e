import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../../../core/config/config.ts'
import { layoutOf } from '../../../core/config/layout.ts'
import {
  ownFolders,
  RESIDENT_DROP_IN,
  startableNow,
  unitDropIns,
  unitsToStart,
} from '../../../core/services/unit-drop-ins.ts'
import { realFileSystem } from '../../files/file-system.ts'
import type { Site } from '../../installation/install-record.ts'
import { dropFile, layFile, layFolder } from '../../installation/lay-file.ts'
import { runOrThrow } from '../../installation/run-or-throw.ts'
import type { Run } from '../../processes/run-command.ts'
import { isDamaged, readState } from '../../records/state.ts'
import { NO_SERVICES, type Services } from '../../records/stood-down.ts'
import { showUnits } from '../systemd/show-units.ts'
import type { InitHost, OurServices, ServicesWish, SetUpHost } from './our-services.ts'
import { proveUnits } from './prove-units.ts'
import { seeUnits } from './see-units.ts'
import { enable, startUnits, stopUnits, systemctl } from './start-units.ts'
import { systemdVersion, UNITS, unitFiles } from './unit-files.ts'

/** Our services as units of systemd. */
export const unitServices: OurServices = {
  setUp,
  paths(config, program) {
    const units = unitFiles(join(program, 'systemd'), Number.POSITIVE_INFINITY)
    return [...units, ...unitDropIns(config, { resident: true })].map(({ path }) => path)
  },
  async stop(config, { running, run }) {
    const { wanted, unwanted } = unitsToStart(config, { resident: false })
    const known = [...wanted, ...unwanted].filter(unit => existsSync(`${UNITS}/${unit}`))
    if (known.length > 0) await stopUnits(known, running, run)
  },
  // Units that are not enabled do nothing.
  async takeOff() {},
  async filesGone({ running, run }) {
    if (running) await runOrThrow(run, systemctl('daemon-reload'))
  },
  find,
  async pause({ enabled, started }, { running, run }) {
    const all = [...new Set([...enabled, ...started])]
    if (all.length > 0) await stopUnits(all, running, run)
  },
  resume,
  see: seeUnits,
  prove: (config, run) => proveUnits(config, { resident: existsSync(RESIDENT_DROP_IN) }, run),
}

async function setUp(site: Site, wish: ServicesWish, { running, run, layOthers }: SetUpHost) {
  const resident = wish.resident ?? existsSync(RESIDENT_DROP_IN)
  const units = unitFiles(join(wish.program, 'systemd'), await systemdVersion(run))
  const dropIns = unitDropIns(wish.config, { resident, former: formerFiles(wish.config) })
  // The user comes before what is given to its group.
  for (const unit of units) layFile(site, unit)
  // What another version had laid and this one has not would go on to act.
  const known = new Set([...units, ...dropIns].map(({ path }) => path))
  for (const path of site.record.files) {
    if (path.startsWith(`${UNITS}/`) && !known.has(path)) dropFile(site, path)
  }
  await layOthers()
  for (const folder of ownFolders(wish.config)) layFolder(site, folder)
  for (const { path, content } of dropIns) {
    if (content === undefined) dropFile(site, path)
    else layFile(site, { path, content, mode: 0o644, uid: 0, gid: 0 })
  }
  if (wish.stayDown) return running ? runOrThrow(run, systemctl('daemon-reload')) : undefined
  const unitsWish = { ...unitsToStart(wish.config, { resident }), renewed: wish.renewed }
  if (!wish.start || !running) return enable(unitsWish, run)
  await runOrThrow(run, ['systemd-tmpfiles', '--create', 'pomerium-host-agent.conf'])
  await startUnits(site, unitsWish, run)
}

// Where a service can't write, it can't give back what former settings had it write there.
function formerFiles({ sshd }: Config): string[] {
  const state = readState({ fs: realFileSystem, at: path => path, layout: layoutOf(sshd) })
  return isDamaged(state) ? [] : (state.written ?? []).map(({ path }) => path)
}

async function resume({ enabled, started }: Services, { running, run }: InitHost): Promise<void> {
  // What boot starts was up, or would have been by the next one.
  const up = startableNow([...new Set([...enabled, ...started])])
  if (enabled.length > 0) await runOrThrow(run, systemctl('enable', ...enabled))
  if (up.length > 0 && running) await runOrThrow(run, systemctl('start', ...up))
}

// All that systemd knows of ours, wherever it was laid. A service that only runs for a moment is none
// to start again, and what has no [Install] is started by another unit.
async function find(run: Run): Promise<Services> {
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
