/** Aborted when somebody asks this process to leave: SIGTERM from init, SIGINT from a terminal. */
export function stopSignal(): AbortSignal {
  const stop = new AbortController()
  // Not `once`: while one of its commands runs execa listens too, and ends us where nobody else listens.
  for (const name of ['SIGTERM', 'SIGINT'] as const) process.on(name, () => stop.abort())
  return stop.signal
}
