import type { Logger } from 'pino'
import type { Config } from '../../core/config/config.ts'
import type { Layout } from '../../core/config/layout.ts'
import type { Daemon } from '../../daemon/daemon.ts'
import type { Notebook } from '../../daemon/notebook.ts'
import type { Invocation } from '../terminal/invocation.ts'

/** What the parts of the daemon share. */
export interface Running {
  config: Config & { source: { url: URL } }
  layout: Layout
  notebook: Notebook
  daemon: Daemon
  log: Logger
  signal: AbortSignal
  invocation: Invocation
}
