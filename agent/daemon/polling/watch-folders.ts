import { type FSWatcher, lstatSync, readdirSync, statSync, watch } from 'node:fs'
import { basename, join } from 'node:path'

export interface Watch {
  close(): void
}

/** A folder, and the one name in it that counts; all names if not given. */
export interface WatchedFolder {
  path: string
  only?: string
}

/** How often a folder is looked at that the kernel tells us nothing about, in milliseconds. */
const LOOK_MS = 5_000
/** What comes in one go is one hint, in milliseconds. */
const SETTLE_MS = 200
/** What the provisioner writes before it is renamed into place. */
const OWN_TEMPORARY = '.pomerium-host-agent'

/**
 * Calls `onDrift` when something in the folders changes: names, contents, owners, modes. A folder that
 * is missing is watched from when it is made. Where the user's inotify instances or watches are spent
 * (EMFILE, ENOSPC; inotify(7)), or a folder can't be read, it is looked at by the clock instead, and
 * `onFallback` is called once: no watch at all would end the promise to repair.
 */
export function watchFolders(
  folders: readonly WatchedFolder[],
  onDrift: () => void,
  onFallback: (code: string) => void,
  lookMs = LOOK_MS,
): Watch {
  let settle: NodeJS.Timeout | undefined
  let told = false
  const drifted = () => {
    // Not put off by what comes meanwhile: who writes without a pause would never be seen.
    settle ??= setTimeout(() => {
      settle = undefined
      onDrift()
    }, SETTLE_MS)
  }
  const blind = (code: string) => {
    if (!told) onFallback(code)
    told = true
  }
  const watches = folders.map(folder => watchFolder(folder, drifted, blind))
  const clock = setInterval(() => {
    for (const each of watches) each.look()
  }, lookMs)
  return {
    close() {
      clearTimeout(settle)
      clearInterval(clock)
      for (const each of watches) each.close()
    },
  }
}

function watchFolder(folder: WatchedFolder, drifted: () => void, blind: (code: string) => void) {
  let watcher: FSWatcher | undefined
  let seen = fingerprint(folder)
  /** Which folder the kernel tells us of: it follows the folder itself, not its name. */
  let watched: number | undefined
  const disarm = () => {
    watcher?.close()
    watcher = undefined
  }
  const arm = () => {
    try {
      watched = inodeOf(folder.path)
      watcher = watch(folder.path, (_, name) => onEvent(name))
      watcher.on('error', disarm)
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
      if (code !== 'ENOENT') blind(code)
    }
  }
  const onEvent = (name: string | null) => {
    // The folder itself, mostly: deleted or moved, what has its name now is another one.
    if (name === null || name === basename(folder.path)) {
      disarm()
      look()
    }
    if (name?.includes(OWN_TEMPORARY)) return
    if (folder.only === undefined || name === null || name === folder.only) drifted()
  }
  const look = () => {
    // With a folder above it moved away, another may lie there now, of which nobody has told.
    if (watcher !== undefined && inodeOf(folder.path) === watched) return
    disarm()
    arm()
    const now = fingerprint(folder)
    // Watched from now on: what came before this moment nobody has told.
    if (watcher !== undefined || now !== seen) drifted()
    seen = now
  }
  arm()
  return { look, close: disarm }
}

function inodeOf(path: string): number | undefined {
  try {
    return statSync(path).ino
  } catch {
    return undefined
  }
}

/** What changes with every change that counts; ctime comes with each of them (inode(7)). */
function fingerprint({ path, only }: WatchedFolder): string {
  try {
    const names = only === undefined ? readdirSync(path).sort() : [only]
    return names
      .filter(name => !name.includes(OWN_TEMPORARY))
      .map(name => state(path, name))
      .join()
  } catch {
    return ''
  }
}

function state(folder: string, name: string): string {
  const stat = lstatSync(join(folder, name), { throwIfNoEntry: false })
  return stat === undefined ? '' : `${name}/${stat.ino}/${stat.ctimeMs}`
}
