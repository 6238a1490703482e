import type { Logger } from 'pino'
import type { Invocation } from '../cli/terminal/invocation.ts'
import type { Config } from '../core/config/config.ts'
import type { Layout } from '../core/config/layout.ts'
import type { Daemon } from './cycle/hinted-cycles.ts'
import type { Notebook } from './cycle/poll-record-file.ts'

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
