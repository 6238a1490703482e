import type { Config } from '../../../core/config/config.ts'
import type { Unseen } from '../../../core/host/observation.ts'
import type { UnitSeen } from '../../../core/services/agent-units.ts'
import type { Site } from '../../installation/install-record.ts'
import type { Run } from '../../processes/run-command.ts'
import type { Services } from '../../records/stood-down.ts'
import type { FailedUnit } from './failed-unit.ts'

/** Our own services as an init has them. What can't be done throws SetupError, with the init's words. */
export interface OurServices {
  /** Lays them, has boot start them and starts them, as far as is wished. */
  setUp(site: Site, wish: ServicesWish, host: SetUpHost): Promise<void>
  /** Every file that `setUp` lays under these settings, or under others. */
  paths(config: Config, program: string): string[]
  stop(config: Config, host: InitHost): Promise<void>
  /** Once stopped: takes away what boot would call all the same, before the program goes. */
  takeOff(site: Site, run: Run): Promise<void>
  /** Has the init notice that their files are gone. */
  filesGone(host: InitHost): Promise<void>
  /** What boot starts, and what is up. */
  find(run: Run): Promise<Services>
  /** Stops these and keeps boot from starting them; their files stay. */
  pause(services: Services, host: InitHost): Promise<void>
  /** Has boot start them as before, and starts them. */
  resume(services: Services, host: InitHost): Promise<void>
  /** How each is, for `status`. */
  see(host: SeenHost): Promise<ServicesLook>
  /** Those that can't do their work, each run or looked at once. */
  prove(config: Config, run: Run): Promise<FailedUnit[]>
}

export interface InitHost {
  run: Run
  /** Whether the init runs; it does not where an image is made. */
  running: boolean
}

export interface SetUpHost extends InitHost {
  /** Lays what is the same under every init: user, config, credentials. */
  layOthers(): Promise<void>
}

/** What the set-up is to make of our services. */
export interface ServicesWish {
  config: Config
  /** The folder of the release that this program came in. */
  program: string
  /** Stay in memory or sleep; `undefined`: as it is. */
  resident?: boolean
  /** Whether to start anything; not in an image. */
  start: boolean
  /** The program has changed since it was last started. */
  renewed: boolean
  /** `remove` has stopped the services; `stayDown`: and they are to stay so. */
  stoodDown: boolean
  stayDown: boolean
}

export interface SeenHost {
  run: Run
  /** Whether something stands at a path of the host. */
  exists(path: string): boolean
  isRoot: boolean
  /** Missing where the config could not be read; without `listen` there is no webhook. */
  config: { webhook: { listen?: string } } | undefined
}

export interface ServicesLook {
  units: UnitSeen[]
  /** Those that must be up, and be so again after a boot. */
  wanted: string[]
  unseen: Unseen[]
}
