import type { EffectiveConfig } from './effective-config.ts'

/** What stands at one path. */
export type FileState =
  | { kind: 'missing' }
  | { kind: 'file'; content: Buffer; mode: number; uid: number; gid: number }
  | { kind: 'folder'; mode: number; uid: number; gid: number }
  | { kind: 'other'; what: 'symbolic link' | 'device, pipe or socket' }
  | { kind: 'unseen' }

/** Something that could not be looked at, and why; a plan made without it is uncertain. */
export interface Unseen {
  what: string
  why: string
}

/** What sshd makes of its configuration as it lies on disk. */
export type SshdState =
  | { kind: 'absent' }
  | { kind: 'broken'; message: string }
  | { kind: 'readable'; effective: EffectiveConfig }
  | { kind: 'unseen' }

export type ServiceState =
  | { kind: 'running'; unit: string }
  | { kind: 'stopped'; unit: string }
  | { kind: 'unmanaged' }

/** The host as it is now; everything a plan is made from. */
export interface Observation {
  caFolder: FileState
  caFile: FileState
  dropInFolder: FileState
  dropIn: FileState
  sshd: SshdState
  service: ServiceState
  owner: { uid: number; gid: number }
  /** Whether this is a tree under `--root` rather than the running host. */
  tree: boolean
  unseen: Unseen[]
}
