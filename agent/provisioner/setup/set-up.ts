import { rmSync } from 'node:fs'
import type { Config } from '../../core/config/config.ts'
import { DEFAULT_CONFIG_FILE } from '../../core/config/config.ts'
import { layoutOf } from '../../core/config/layout.ts'
import { SERVICE_ENVIRONMENT_FILE } from '../../core/services/service-environment.ts'
import { isThere, realFileSystem } from '../files/file-system.ts'
import { findInitHere } from '../init/find-init.ts'
import type { Init } from '../init/init.ts'
import { INITS } from '../init/inits.ts'
import type { FailedUnit } from '../init/our-services/failed-unit.ts'
import type { ServicesWish } from '../init/our-services/our-services.ts'
import { SERVICE_LOG } from '../init/our-services/scripts.ts'
import { openSite, RECORD_FILE, type Site } from '../installation/install-record.ts'
import { type LaidFile, layFile, layFolder, undoFiles } from '../installation/lay-file.ts'
import { SetupError } from '../installation/setup-error.ts'
import { type Run, runCommand } from '../processes/run-command.ts'
import { CREDENTIALS_FOLDER } from './copy-credentials.ts'
import { ensureUser, undoUser } from './make-user.ts'

/** What is to be set up, all of it checked already. */
export interface Wish extends ServicesWish {
  /** The config file's whole text. */
  configText: string
  /** Files that settings name, to be laid with root's own mode. */
  copies: { path: string; content: Buffer; mode: number }[]
  /** The text of the services' environment file; `undefined`: as it is. */
  environment?: string
}

const run: Run = argv => runCommand(argv, { timeoutMs: 180_000 })

/** Lays user, config, credentials and services, and starts them. Returns what was changed. */
export async function setUp(wish: Wish): Promise<string[]> {
  const { init, running } = hostInit()
  const site = openSite(path => path, RECORD_FILE)
  const layOthers = () => layOthersOf(site, wish)
  const services = init.ourServices
  await services.setUp(site, wish, { run, running, layOthers })
  return [...new Set(site.changed)]
}

async function layOthersOf(site: Site, { configText, copies, environment }: Wish): Promise<void> {
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

/** Those of our services that can't do their work, each run or looked at once; none where no init runs. */
export async function proveServices(config: Config): Promise<FailedUnit[]> {
  const { init, running } = hostInit()
  return running ? init.ourServices.prove(config, run) : []
}

/** What is ours on the host and not the bundle's: to be stopped before the trust is taken away… */
export async function stopAll(config: Config): Promise<void> {
  const { init, running } = hostInit()
  const services = init.ourServices
  await services.stop(config, { run, running })
}

/** …and this after it. Returns the folders that stay, since others keep something there. */
export async function undoSetUp({ config, program }: Pick<Wish, 'config' | 'program'>) {
  const site = openSite(path => path, RECORD_FILE)
  const { init, running } = hostInit()
  const services = init.ourServices
  // The record is lost: what every set-up lays is ours all the same.
  if (!isThere(realFileSystem, RECORD_FILE)) {
    site.record.files.push(...services.paths(config, program))
  }
  await services.takeOff(site, run)
  const left = undoFiles(site)
  await services.filesGone({ run, running })
  await undoUser(site, run)
  const { stateFolder, daemonFolder, runFolder } = layoutOf(config.sshd)
  const folders = [daemonFolder, runFolder, stateFolder].map(({ path }) => path)
  for (const path of [...folders, CREDENTIALS_FOLDER, SERVICE_LOG]) {
    rmSync(path, { recursive: true, force: true })
  }
  return left
}

/**
 * Sees to it that nothing starts a program that is about to go. Trust and settings stay; `setUp` puts
 * all in force again.
 */
export async function standDown(config: Config): Promise<void> {
  await stopAll(config)
  const site = openSite(path => path, RECORD_FILE)
  const services = hostInit().init.ourServices
  await services.takeOff(site, run)
}

/** The init that the services are for, and whether it runs here. Throws SetupError where we know none. */
export function hostInit(): { init: Init; running: boolean } {
  const { init, running } = findInitHere()
  if (init !== undefined) return { init, running }
  const known = INITS.map(({ title }) => title).join(', ')
  throw new SetupError(`no init that we know (${known}) is on this host`)
}
