import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../../core/config/config.ts'
import { DEFAULT_CONFIG_FILE } from '../../core/config/config.ts'
import { layoutOf } from '../../core/config/layout.ts'
import { SERVICE_ENVIRONMENT_FILE } from '../../core/services/service-environment.ts'
import {
  ownFolders,
  RESIDENT_DROP_IN,
  unitDropIns,
  unitsToStart,
} from '../../core/services/unit-drop-ins.ts'
import { isThere, realFileSystem } from '../files/file-system.ts'
import { findInitHere, type Init } from '../init/find-init.ts'
import {
  enable,
  runOrThrow,
  startUnits,
  stopUnits,
  systemctl,
  systemdVersion,
  UNITS,
  unitFiles,
} from '../init/our-services/lay-units.ts'
import { type InitScripts, initScripts } from '../init/our-services/scripts.ts'
import { openSite, RECORD_FILE, type Site } from '../installation/install-record.ts'
import { dropFile, type LaidFile, layFile, layFolder, undoFiles } from '../installation/lay-file.ts'
import { SetupError } from '../installation/setup-error.ts'
import { type Run, runCommand } from '../processes/run-command.ts'
import { isDamaged, readState } from '../records/state.ts'
import { HANDED_OVER } from './copy-credentials.ts'
import { ensureUser, undoUser } from './make-user.ts'

/** Where the services of other inits write their log. */
export const SERVICE_LOG = '/var/log/pomerium-host-agent.log'

/** What is to be set up, all of it checked already. */
export interface Wish {
  config: Config
  /** The config file's whole text. */
  configText: string
  /** Files that settings name, to be laid with root's own mode. */
  copies: { path: string; content: Buffer; mode: number }[]
  /** The text of the services' environment file; `undefined`: as it is. */
  environment?: string
  /** Stay in memory or sleep; `undefined`: as it is. */
  resident?: boolean
  /** Whether to start anything; not in an image. */
  start: boolean
  /** The program has changed since it was last started. */
  renewed: boolean
  /** `remove` has stopped the services; `rest`: and they are to stay so. */
  stoodDown: boolean
  rest: boolean
  /** The folder of the release that this program came in. */
  program: string
}

const run: Run = argv => runCommand(argv, { timeoutMs: 180_000 })

/** Lays user, config, credentials and services, and starts them. Returns what was changed. */
export async function setUp(wish: Wish): Promise<string[]> {
  const { init, running } = hostInit()
  const site = openSite(path => path, RECORD_FILE)
  if (init === 'systemd') await underSystemd(site, wish, running)
  else await underInit(site, wish, scriptsOf(init, wish.program), running)
  return [...new Set(site.changed)]
}

async function underSystemd(site: Site, wish: Wish, running: boolean): Promise<void> {
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
  await layOwn(site, wish)
  for (const folder of ownFolders(wish.config)) layFolder(site, folder)
  for (const { path, content } of dropIns) {
    if (content === undefined) dropFile(site, path)
    else layFile(site, { path, content, mode: 0o644, uid: 0, gid: 0 })
  }
  if (wish.rest) return running ? runOrThrow(run, systemctl('daemon-reload')) : undefined
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

async function underInit(site: Site, wish: Wish, scripts: InitScripts, running: boolean) {
  await layOwn(site, wish)
  for (const file of scripts.files) layFile(site, file)
  if (wish.rest) return
  await scripts.enable(site, run)
  if (wish.stoodDown) await scripts.resume(run)
  if (wish.start && running) await scripts.start(site, wish.renewed, run)
}

async function layOwn(site: Site, { configText, copies, environment }: Wish): Promise<void> {
  const { gid } = await ensureUser(site, run)
  layFolder(site, '/etc/pomerium/credentials', 0o700)
  for (const copy of copies) layFile(site, { ...copy, uid: 0, gid: 0 })
  const config = { path: DEFAULT_CONFIG_FILE, content: configText, mode: 0o640, uid: 0, gid }
  layFile(site, config satisfies LaidFile)
  if (environment === undefined) return
  layFile(site, {
    ...{ path: SERVICE_ENVIRONMENT_FILE, content: environment },
    ...{ mode: 0o644, uid: 0, gid: 0 },
  })
}

/** What is ours on the host and not the bundle's: to be stopped before the trust is taken away… */
export async function stopAll(wish: Pick<Wish, 'config' | 'program'>): Promise<void> {
  const { init, running } = hostInit()
  if (init !== 'systemd') return scriptsOf(init, wish.program).stop(running, run)
  const { wanted, unwanted } = unitsToStart(wish.config, { resident: false })
  const known = [...wanted, ...unwanted].filter(unit => existsSync(`/etc/systemd/system/${unit}`))
  if (known.length > 0) await stopUnits(known, running, run)
}

/** …and this after it. Returns the folders that stay, since others keep something there. */
export async function undoSetUp({ config, program }: Pick<Wish, 'config' | 'program'>) {
  const site = openSite(path => path, RECORD_FILE)
  const { init, running } = hostInit()
  // The record is lost: what every set-up lays is ours all the same.
  if (!isThere(realFileSystem, RECORD_FILE)) {
    site.record.files.push(...filesOf(init, config, program))
  }
  if (init !== 'systemd') await scriptsOf(init, program).disable(site, run)
  const left = undoFiles(site)
  if (init === 'systemd' && running) await runOrThrow(run, systemctl('daemon-reload'))
  await undoUser(site, run)
  const { stateFolder, daemonFolder, runFolder } = layoutOf(config.sshd)
  const folders = [daemonFolder, runFolder, stateFolder].map(({ path }) => path)
  for (const path of [...folders, HANDED_OVER, SERVICE_LOG]) {
    rmSync(path, { recursive: true, force: true })
  }
  return left
}

function filesOf(init: Init, config: Config, program: string): string[] {
  const files =
    init === 'systemd'
      ? [
          ...unitFiles(join(program, 'systemd'), Infinity),
          ...unitDropIns(config, { resident: true }),
        ]
      : scriptsOf(init, program).files
  return files.map(({ path }) => path)
}

/**
 * Sees to it that nothing starts a program that is about to go. Trust and settings stay; `setUp` puts
 * all in force again.
 */
export async function standDown(wish: Pick<Wish, 'config' | 'program'>): Promise<void> {
  await stopAll(wish)
  const { init } = hostInit()
  // Units that are not enabled do nothing; a script of an init is called at boot all the same.
  if (init === 'systemd') return
  const site = openSite(path => path, RECORD_FILE)
  const scripts = scriptsOf(init, wish.program)
  await scripts.disable(site, run)
  for (const { path } of scripts.files) dropFile(site, path)
}

/** The init that the services are for, and whether it runs here. Throws SetupError where we know none. */
export function hostInit(): { init: Init; running: boolean } {
  const { init, running } = findInitHere()
  if (init !== undefined) return { init, running }
  throw new SetupError('no init that we know (systemd, OpenRC, sysvinit, runit) is on this host')
}

function scriptsOf(init: Exclude<Init, 'systemd'>, program: string): InitScripts {
  return initScripts(init, join(program, 'init'))
}
