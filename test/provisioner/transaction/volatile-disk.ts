// A disk that forgets, when the power is cut, all that has not been synced: a name until its folder
// is (fsync(2)), the content of a file until the file is.

import { chmodSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { FileSystem } from '../../../agent/provisioner/files/file-system.ts'

export interface VolatileDisk {
  fs: FileSystem
  /** What is not on the disk is gone; of names, those in folders that `loses` says. */
  cutPower(loses: (folder: string) => boolean): void
}

export function volatileDisk(real: FileSystem): VolatileDisk {
  const paths = new Map<number, string>()
  const unwritten = new Set<string>()
  let pending: { folder: string; undo: () => void }[] = []
  const remember = (path: string, undo: () => void) => {
    pending.push({ folder: dirname(path), undo })
  }
  const own: Partial<FileSystem> = {
    openSync(path, flags, mode) {
      const isNew = saved(String(path)) === undefined && !isFolder(String(path))
      const fd = real.openSync(path, flags, mode)
      paths.set(fd, String(path))
      if (isNew) remember(String(path), () => real.unlinkSync(path))
      return fd
    },
    writeSync: ((fd: number, content: Uint8Array, from?: number) => {
      unwritten.add(paths.get(fd) ?? '')
      return real.writeSync(fd, content, from)
    }) as FileSystem['writeSync'],
    fsyncSync(fd) {
      real.fsyncSync(fd)
      const path = paths.get(fd) ?? ''
      unwritten.delete(path)
      pending = pending.filter(({ folder }) => folder !== path)
    },
    renameSync(from, to) {
      const before = saved(String(to))
      real.renameSync(from, to)
      if (unwritten.delete(String(from))) unwritten.add(String(to))
      remember(String(to), () => {
        real.renameSync(to, from)
        before?.()
      })
    },
    unlinkSync(path) {
      const before = saved(String(path))
      real.unlinkSync(path)
      unwritten.delete(String(path))
      remember(String(path), () => before?.())
    },
    mkdirSync: ((path: string, mode: number) => {
      real.mkdirSync(path, mode)
      remember(path, () => real.rmdirSync(path))
    }) as FileSystem['mkdirSync'],
    rmdirSync(path) {
      const { mode } = statSync(path)
      real.rmdirSync(path)
      remember(String(path), () => real.mkdirSync(path, mode & 0o7777))
    },
  }
  const fs = new Proxy(real, {
    get: (_, name: keyof FileSystem) => own[name] ?? real[name],
  })
  return {
    fs,
    cutPower(loses) {
      for (const path of unwritten) if (saved(path) !== undefined) truncateSync(path)
      for (const { folder, undo } of pending.toReversed()) if (loses(folder)) undo()
    },
  }
}

/** How to bring back the file that is there now; `undefined` where there is none. */
function saved(path: string): (() => void) | undefined {
  const stat = statSync(path, { throwIfNoEntry: false })
  if (!stat?.isFile()) return undefined
  const content = readFileSync(path)
  return () => {
    writeFileSync(path, content)
    chmodSync(path, stat.mode & 0o7777)
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
}
