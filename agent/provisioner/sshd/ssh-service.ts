import { AgentError } from '../../core/basics/agent-error.ts'
import type { StartLimit } from '../../core/services/restart-budget.ts'

/** Whatever starts and stops sshd on this host. */
export interface SshService {
  state(): Promise<ServiceState>
  /**
   * Restarts sshd, or starts it where it is stopped or failed; returns once it listens again.
   * Behind a socket that waits for connections there is nothing to do, and nothing is done.
   * Throws `ServiceError`, with the journal's or the daemon's words.
   */
  restart(): Promise<void>
  /** The start limit that the init puts on the unit; `undefined` where it puts none. */
  limit(): Promise<StartLimit | undefined>
  /** The argv with which the init would start it, for one that does not run; not every init says. */
  startArgv?(): Promise<readonly string[] | undefined>
  /** What a person types to start it, or to start it again; if not given, `systemctl start`. */
  command?: string
}

/**
 * The sshd that was found when the host was configured last. Only that one is ours: while it is
 * stopped, another that listens does not take its place.
 */
export interface FoundSshd {
  /** What init calls it; missing where no init runs it. */
  unit?: string
  /** The `-f` and `-o` that it is started with. */
  options: string[]
  /** How it is restarted, where the operator has said so. */
  restartCommand?: string[]
}

export type ServiceState =
  /** Reads a changed configuration only at its next start. */
  | {
      kind: 'running'
      unit: string
      /** The process that listens, or the one that the init calls the main one. */
      mainPid: number
      /** Its program and arguments, of which `-f` and `-o` matter; missing where unreadable. */
      argv?: readonly string[]
      /** The socket unit that it was started from. */
      socket?: string
      /** systemd takes the unit for inactive or failed: it was masked and unmasked while it ran. */
      forgotten?: true
    }
  /**
   * The socket listens; the next connection starts sshd, which reads its configuration then. `load`: why it
   * can't (`masked`, `bad-setting`, …).
   */
  | { kind: 'idle'; unit: string; socket: string; load?: string }
  /** A socket with `Accept=yes`: an sshd for each connection, which reads its configuration. */
  | { kind: 'per-connection'; unit: string; socket: string }
  | { kind: 'stopped'; unit: string }
  /** `result` is systemd's word for why (`start-limit-hit`, `exit-code`, …). */
  | { kind: 'failed'; unit: string; result: string; socket?: string }
  /** The init refuses to start it; `mainPid` where it has been running since before. */
  | { kind: 'masked'; unit: string; mainPid?: number; argv?: readonly string[] }
  /**
   * No init that we know; `mainPid` where an sshd listens nevertheless, `insteadOf` the unit that is down
   * while it does.
   */
  | { kind: 'unmanaged'; mainPid?: number; argv?: readonly string[]; insteadOf?: string }

export type ServiceErrorCode =
  | 'unmanaged'
  | 'masked'
  | 'restart-failed'
  | 'timed-out'
  | 'not-listening'

export class ServiceError extends AgentError<ServiceErrorCode> {}

export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number
  sleep(ms: number): Promise<void>
}
