// What a host may look like when the agent comes to it, as data: `run-shape.ts` makes it true.

import type { KeyType } from '../../sshd/ssh-ca.ts'
import type { Suite } from '../harness/base.ts'
import type { Host, HostOptions } from '../harness/host.ts'

/** One host, and how `apply` is to end on it. */
export interface Shape {
  name: string
  /** All of them if not given. */
  suites?: readonly Suite[]
  machine?: Pick<HostOptions, 'packages' | 'init' | 'booted'>
  /** Files laid before the first boot; a function gets what the base has there. */
  files?: Readonly<Record<string, string | ((before: string) => string)>>
  /** Run by root once the host is up, before the agent comes. */
  run?: string
  /** Of the agent: YAML beside its `source`. */
  config?: string
  /** The type of the published CA; ed25519 if not given. */
  ca?: KeyType
  /** Brings up an sshd that the shape keeps down, so that it can be seen to answer. */
  start?: string
  ends: Proved | Refused
}

/** Certificates of the published CA log in and others do not; `remove` undoes it byte for byte. */
export interface Proved {
  kind: 'proved'
  /** What is written beside the CA file and the drop-in. */
  writes?: readonly string[]
  /** The warnings of `apply`, in order; each must be matched, and there may be no other. */
  warns?: readonly (string | RegExp)[]
  /** The only address to log in from; from anywhere if not given. */
  from?: string
  /** The foreign CA, whose key is in `OTHER_CA`, logs in too, before and after; or the next one does. */
  foreign?: 'stays' | 'rotates'
  /** What else must be true of this shape, between `apply` and `remove`. */
  further?: (standing: Standing) => Promise<void>
  /** What must be true after `remove`. */
  afterwards?: (standing: Standing) => Promise<void>
}

/** Exit 5, saying why and where, and nothing was touched. */
export interface Refused {
  kind: 'refused'
  code: string
  /** All must stand in the message: the file and line, or what else is at fault. */
  names: readonly string[]
}

/** A host on which `apply` has ended, for what only one shape is about. */
export interface Standing {
  host: Host
  /** How a login by a certificate of that CA ends; each time from another address if not given. */
  outcome(ca: 'ours' | 'foreign' | 'next', from?: string): Promise<string>
}

export const MAIN = '/etc/ssh/sshd_config'
export const FOLDER = '/etc/ssh/sshd_config.d'
/** The key of another owner's CA. It lies on every host; most never name it. */
export const OTHER_CA = '/etc/another-owner/ca.pub'

export const proved = (more: Omit<Proved, 'kind'> = {}): Proved => ({ kind: 'proved', ...more })
export const refused = (code: string, ...names: string[]): Refused => ({
  kind: 'refused',
  code,
  names,
})

export const append = (text: string) => (before: string) => `${before}${text}`
/** Debian's own sshd_config without its Include, and with `text` at its end. */
export const withoutInclude =
  (text = '') =>
  (before: string) =>
    `${before.replace(/^Include .*\n/m, '')}${text}`
/** Debian's own Include line replaced. */
export const includeAs = (line: string) => (before: string) => before.replace(/^Include .*$/m, line)
/** As the agent names a line. */
export const place = (file: string, line: number) => `${file}:${line}`
