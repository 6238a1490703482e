/** Runs the work at once, or when a place is free. */
export type Limited = <R>(work: () => Promise<R>) => Promise<R>

/** Lets so many in at once, in the order in which they came. */
export function limitConcurrency(most: number): Limited {
  let inside = 0
  const queue: (() => void)[] = []
  return async work => {
    if (inside >= most) await new Promise<void>(resolve => queue.push(resolve))
    else inside += 1
    try {
      return await work()
    } finally {
      // The place is handed on, not given back: nobody slips in between.
      const next = queue.shift()
      if (next === undefined) inside -= 1
      else next()
    }
  }
}
