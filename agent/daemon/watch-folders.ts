import { type FSWatcher, watch } from 'chokidar'

export interface Watch {
  close(): Promise<void>
}

/** How often the folders are looked at where the kernel can't tell us, in milliseconds. */
const LOOK_MS = 5_000
/** What comes in one go is one hint, in milliseconds. */
const SETTLE_MS = 200

/**
 * Calls `onDrift` when something in the folders changes. Where the user's inotify instances or
 * watches are spent (EMFILE, ENOSPC; inotify(7)), it looks at the clock instead: an unhandled error
 * here would end the process, and no watch at all would end the promise to repair.
 */
export function watchFolders(
  paths: readonly string[],
  onDrift: () => void,
  onFallback: (code: string) => void,
): Watch {
  let settle: NodeJS.Timeout | undefined
  let clock: NodeJS.Timeout | undefined
  const drifted = () => {
    // Not put off by what comes meanwhile: who writes without a pause would never be seen.
    settle ??= setTimeout(() => {
      settle = undefined
      onDrift()
    }, SETTLE_MS)
  }
  const watcher: FSWatcher = watch([...paths], {
    ignoreInitial: true,
    depth: 0,
    // A change of owner or mode is one too.
    alwaysStat: true,
    ignored: path => path.includes('.pomerium-host-agent'),
  })
  watcher.on('all', drifted)
  watcher.on('error', error => {
    if (clock !== undefined) return
    clock = setInterval(onDrift, LOOK_MS)
    onFallback(error instanceof Error && 'code' in error ? String(error.code) : 'unknown')
  })
  return {
    async close() {
      clearTimeout(settle)
      clearInterval(clock)
      await watcher.close()
    },
  }
}
