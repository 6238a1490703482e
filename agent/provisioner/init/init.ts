import type { Run } from '../processes/run-command.ts'
import type { SshService } from '../sshd/ssh-service.ts'
import type { CommandHost } from './commanded-service.ts'
import type { OurServices } from './our-services/our-services.ts'

/** All that differs from init to init. */
export interface Init {
  /** As people write it. */
  title: string
  /** What says that it runs: that there is a file, the name of process 1 (`comm` of proc(5)), or both. */
  running: { file?: string; process1?: string }
  /** Files each of which says that it is installed, be it running or not. */
  installed: readonly string[]
  /** sshd as a service of it; `undefined` where it has none. */
  openSshd(host: ServiceHost): SshService | undefined
  /** Runs a command after so many seconds, whatever becomes of us; returns whether it will. Not every init can. */
  runLater?(run: Run, afterSeconds: number, argv: readonly string[]): Promise<boolean>
  /** Whether each of our own services has a sandbox, which may hide from it what a setting names. */
  sandboxed: boolean
  /** Our own services under it. */
  ourServices: OurServices
}

export interface ServiceHost extends CommandHost {
  /** Whether something stands at a path of the host. */
  exists(path: string): boolean
}
