import type { Logger } from 'pino'
import type { Config } from '../core/config/config.ts'
import type { Layout } from '../core/config/layout.ts'
import type { Daemon, DaemonParts } from './cycle/hinted-cycles.ts'
import type { PollRecordFile } from './cycle/poll-record-file.ts'

/** What the daemon has of its caller. */
export interface Given {
  config: Config & { source: { url: URL } }
  environment: Readonly<Record<string, string | undefined>>
  version: string
  log: Logger
  /** Told of every cycle's end. */
  onEnd: DaemonParts['onEnd']
  /** Aborted where the process is to leave. */
  signal: AbortSignal
}

/** What the parts of the daemon share. */
export interface Running extends Given {
  layout: Layout
  pollRecord: PollRecordFile
  daemon: Daemon
  /** Sleeps so many milliseconds, or until the process is to leave. */
  sleep(ms: number): Promise<void>
}
