import { basename, dirname } from 'node:path'
import { watch } from 'chokidar'

/** What comes in one go is looked at once, when it is over; in milliseconds. */
const SETTLE_MS = 100
/** How often it is looked at all the same, in milliseconds: a folder that was replaced is not watched. */
const LOOK_ANYWAY_MS = 30_000
/** How often the file is looked at where the kernel can't tell us, in milliseconds. */
const LOOK_MS = 2_000

/**
 * Calls `look` when a file may have changed. Its folder is watched: a file that is renamed over is
 * another one, and a Kubernetes volume moves a link beside it. Where the user's inotify instances are
 * spent (EMFILE, ENOSPC; inotify(7)) it looks at the clock instead.
 */
export function watchFile(
  path: string,
  look: () => void,
  onFallback: (code: string) => void,
): { close(): Promise<void> } {
  let settle: NodeJS.Timeout | undefined
  let clock: NodeJS.Timeout | undefined
  const folder = dirname(path)
  const ofInterest = new Set([folder, path, `${folder}/..data`])
  const watcher = watch(folder, {
    ignoreInitial: true,
    depth: 0,
    followSymlinks: false,
    ignored: each => !ofInterest.has(each) && basename(each) !== basename(path),
  })
  watcher.on('all', () => {
    clearTimeout(settle)
    settle = setTimeout(look, SETTLE_MS)
  })
  // What changed before the watch stood is told by nobody.
  watcher.on('ready', look)
  const anyway = setInterval(look, LOOK_ANYWAY_MS)
  watcher.on('error', error => {
    if (clock !== undefined) return
    clock = setInterval(look, LOOK_MS)
    onFallback(error instanceof Error && 'code' in error ? String(error.code) : 'unknown')
  })
  return {
    async close() {
      clearTimeout(settle)
      clearInterval(clock)
      clearInterval(anyway)
      await watcher.close()
    },
  }
}
