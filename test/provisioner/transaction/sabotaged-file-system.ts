// A file system that fails where it is told to: at one call, or from one call on.

import { constants } from 'node:fs'
import type { FileSystem } from '../../../agent/provisioner/files/file-system.ts'

/** A call that was made, by name and by the path it was about. */
export interface Call {
  name: keyof FileSystem
  path: string
  /** Whether it changes the disk; opening for writing counts. */
  changes: boolean
  /** Whether it may take up room on the disk. */
  takesRoom: boolean
}

/** An error code; or a write of which only half gets through, with an error after it or without. */
export type Fault =
  | 'EBUSY'
  | 'EIO'
  | 'ENOSPC'
  | 'EPERM'
  | 'EROFS'
  | 'EXDEV'
  | 'killed'
  | 'partial-write'
  | 'short-write'

export interface Sabotage {
  /** The index of the call that fails. */
  at: number
  fault: Fault
  /** Which of the calls after it fail in the same way; none if not given. */
  after?: (call: Call) => boolean
}

/** What a killed process does from then on: nothing. */
export class Killed extends Error {
  override name = 'Killed'
}

export interface SabotagedFileSystem {
  fs: FileSystem
  /** Every call so far. */
  calls: Call[]
  /** Throws where the process has been killed; for what it does beside calling the file system. */
  beAlive(): void
}

export function sabotagedFileSystem(real: FileSystem, sabotage?: Sabotage): SabotagedFileSystem {
  const calls: Call[] = []
  const paths = new Map<number, string>()
  let dead = false
  let cutOffAt: string | undefined
  const beAlive = () => {
    if (dead) throw new Killed('a dead process calls')
  }
  const faultAt = (index: number, call: Call): Fault | undefined => {
    if (call.name === 'writeSync' && call.path === cutOffAt) return 'ENOSPC'
    if (sabotage === undefined || index < sabotage.at) return undefined
    if (index === sabotage.at || sabotage.after?.(call)) return sabotage.fault
    return undefined
  }
  const intercept = (name: keyof FileSystem, args: unknown[]) => {
    const run = () => Reflect.apply(real[name], real, args) as unknown
    // The kernel closes the files of a process that was killed.
    if (dead && name === 'closeSync') run()
    beAlive()
    const call = describe(name, args, paths)
    const fault = faultAt(calls.push(call) - 1, call)
    if (name === 'closeSync' && call.path === cutOffAt) cutOffAt = undefined
    if (fault === undefined) {
      const result = run()
      if (name === 'openSync') paths.set(result as number, call.path)
      return result
    }
    dead = fault === 'killed'
    // A file is closed though close(2) failed, and half a write is there though it was cut off.
    if (name === 'closeSync') run()
    const cutOff = fault === 'partial-write' || fault === 'short-write' || fault === 'killed'
    if (name === 'writeSync' && cutOff) {
      const [fd, content, from = 0] = args as [number, Uint8Array, number?]
      const half = content.subarray(from, from + Math.ceil((content.length - from) / 2))
      const written = real.writeSync(fd, half)
      cutOffAt = fault === 'partial-write' ? call.path : undefined
      if (!dead) return written
    }
    throw dead ? new Killed(`killed at ${name} ${call.path}`) : failure(fault, call)
  }
  const fs = new Proxy(real, {
    get:
      (_, name) =>
      (...args: unknown[]) =>
        intercept(name as keyof FileSystem, args),
  })
  return { fs, calls, beAlive }
}

const BY_KIND: Partial<Record<keyof FileSystem, Fault[]>> = {
  accessSync: ['EROFS'],
  closeSync: ['ENOSPC'],
  fchmodSync: ['EROFS', 'EPERM'],
  fchownSync: ['EROFS', 'EPERM'],
  fsyncSync: ['ENOSPC'],
  mkdirSync: ['EROFS', 'ENOSPC'],
  renameSync: ['EROFS', 'ENOSPC', 'EBUSY', 'EPERM', 'EXDEV'],
  rmdirSync: ['EROFS', 'EBUSY', 'EPERM'],
  unlinkSync: ['EROFS', 'EBUSY', 'EPERM'],
  writeSync: ['ENOSPC', 'partial-write', 'short-write'],
}

/** The faults that such a call may have on a real system. */
export function faultsOf(call: Call): Fault[] {
  const opened: Fault[] = call.name === 'openSync' && call.changes ? ['EROFS', 'ENOSPC'] : []
  return ['EIO', ...(BY_KIND[call.name] ?? []), ...opened]
}

function describe(name: keyof FileSystem, args: unknown[], paths: Map<number, string>): Call {
  const [subject, flags] = args
  const path = typeof subject === 'number' ? (paths.get(subject) ?? '?') : String(subject)
  const opensForWriting =
    name === 'openSync' &&
    (typeof flags === 'number' ? (flags & constants.O_WRONLY) !== 0 : flags !== 'r')
  const reads = /^(access|close|fstat|lstat|open|read|realpath)/.test(name)
  const changes = opensForWriting || !reads
  const takesRoom = opensForWriting || ['mkdirSync', 'writeSync'].includes(name)
  return { name, path, changes, takesRoom }
}

function failure(code: Fault, { name, path }: Call): Error {
  const syscall = name.replace(/Sync$/, '')
  return Object.assign(new Error(`${code}: sabotaged, ${syscall} '${path}'`), { code, syscall })
}
