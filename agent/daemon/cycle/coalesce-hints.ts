/** Runs cycles one at a time, for hints that come at any time. */
export interface Runner<T> {
  /** Resolves with the end of a cycle that began after this call. */
  hint(): Promise<T>
  /** Resolves once no cycle runs and none is wanted. */
  settled(): Promise<void>
  isBusy(): boolean
}

/**
 * Hints in, cycles out: any number of hints while one cycle runs become one more cycle, since what
 * they announce may have come too late for the one that runs.
 */
export function coalesceHints<T>(cycle: () => Promise<T>): Runner<T> {
  let running: Promise<T> | undefined
  let next: Promise<T> | undefined

  const start = (): Promise<T> => {
    const current = cycle().finally(() => {
      if (running === current) running = undefined
    })
    running = current
    return current
  }
  return {
    hint() {
      if (running === undefined) return start()
      next ??= running.then(follow, follow)
      return next
    },
    async settled() {
      while (running !== undefined || next !== undefined) {
        await Promise.allSettled([running, next])
      }
    },
    isBusy: () => running !== undefined,
  }

  function follow(): Promise<T> {
    next = undefined
    return start()
  }
}
