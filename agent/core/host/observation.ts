import type { ConfigSnapshot } from '../sshd-config/config-snapshot.ts'
import type { Directive } from '../sshd-config/directive.ts'
import type { EffectiveConfig } from '../sshd-config/effective-config.ts'
import type { FoundFiles } from './found-files.ts'
import type { KeyList, RevokedKeysFaults } from './revoked-keys.ts'
import type { Written } from './written-files.ts'

/** What stands at one path. */
export type FileState =
  | { kind: 'missing' }
  | { kind: 'file'; content: Buffer; mode: number; uid: number; gid: number }
  | { kind: 'folder'; mode: number; uid: number; gid: number }
  | { kind: 'other'; what: 'symbolic link' | 'device, pipe or socket' | 'file of more than 1 MiB' }
  | { kind: 'unseen' }

/** Another owner's CA file; `path` is the name in full (`~` is a home). */
export type ForeignCaFile =
  | { kind: 'read'; path: string; content: Buffer }
  /** Our own, by another name: there is nothing in it that we did not write. */
  | { kind: 'ours' }
  /** Only root may read it. */
  | { kind: 'unseen' }
  /** `why` reads after a colon: "it is missing". */
  | { kind: 'unreadable'; why: string; missing?: true }

/** Something that could not be looked at, and why; a plan made without it is uncertain. */
export interface Unseen {
  what: string
  why: string
}

/** What sshd makes of its configuration as it lies on disk. */
export type SshdState =
  | { kind: 'absent' }
  | { kind: 'broken'; message: string }
  /** `effective` is for the first connection of `proofsFor`: of nobody in particular, as a rule. */
  | { kind: 'readable'; effective: EffectiveConfig }
  | { kind: 'unseen' }

/** What is to be done for sshd to read a changed configuration. */
export type ServiceState =
  | { kind: 'running'; unit: string }
  /** Died, and is started again by us; `result` is the init's word for why. */
  | { kind: 'failed'; unit: string; result: string }
  /** The next connection or start reads it: behind a socket, or stopped. */
  | { kind: 'not-running'; unit: string; socket?: string }
  /** It runs, and nothing that we know can restart it. */
  | { kind: 'not-ours'; why: string }
  | { kind: 'none' }

/** The host as it is now; everything a plan is made from. */
export interface Observation {
  /**
   * By path: our own places, sshd's main file, what `adopt` may have put before others, and what was
   * `written` at former places.
   */
  files: ReadonlyMap<string, FileState>
  /** What is on the host by the record; by the settings of now alone, where there is none. */
  written?: readonly Written[]
  /** What stands in places of ours, and was there before us. */
  found: FoundFiles
  /** Folders that were not there before us, the outer ones first. */
  madeFolders?: readonly string[]
  config: ConfigSnapshot
  /** A line by which sshds before and since 8.7 trust differently, where none is here to say which it is. */
  unclear?: Directive
  /** The texts behind each `-o` on the command line of the sshd that listens. */
  commandLine: readonly string[]
  /** Whether this sshd knows `Include`, which came with 8.2. */
  includes: boolean
  /** By the name in a line of somebody else, the CA file that it names. */
  foreignCaFiles: ReadonlyMap<string, ForeignCaFile>
  /** Folders to write to that can't be written to, with the reason (`EROFS`). */
  unwritable: ReadonlyMap<string, string>
  /** A restart that the budget put off: the keys are in force, the promise of a restart is not. */
  restartDue: boolean
  /** The files that some `RevokedKeys` names, where sshd can't go by them: it refuses every key then. */
  revokedKeys: RevokedKeysFaults
  /** The same by path, of others, where sshd can. */
  revokedLists?: ReadonlyMap<string, KeyList>
  /** By another name that some `RevokedKeys` has (a link, say), which list of ours it comes to. */
  listNames?: ReadonlyMap<string, string>
  sshd: SshdState
  service: ServiceState
  owner: { uid: number; gid: number }
  /** Whether this is a tree under `--root` rather than the running host. */
  tree: boolean
  unseen: Unseen[]
}
