/** Aborted when somebody asks this process to leave: SIGTERM from init, SIGINT from a terminal. */
export function stopSignal(): AbortSignal {
  const stop = new AbortController()
  for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => stop.abort())
  return stop.signal
}
