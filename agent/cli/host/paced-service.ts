import { statSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { isThrown } from '../../core/basics/agent-error.ts'
import { DEFAULT_CONFIG_FILE } from '../../core/config/config.ts'
import { listenDescriptor } from '../../core/network/listen-descriptor.ts'
import { EXIT } from '../../core/outcome/exit-codes.ts'
import { nap } from '../terminal/abortable-sleep.ts'
import type { Invocation } from '../terminal/invocation.ts'
import { stopSignal } from '../terminal/stop-signal.ts'

/** How long a broken configuration keeps a service from being started again, in milliseconds. */
const PAUSE_MS = 20_000
/** How often the configuration is looked at meanwhile, in milliseconds. */
const LOOK_MS = 250

/**
 * Runs a service that its socket starts. Where its configuration is broken the error is told at once and
 * whoever waits at the socket is turned away for a while: left alone, systemd would start us again at once
 * for every connection, those included whose sender has long gone; and a limit to that ends the socket.
 * A configuration that is mended meanwhile ends the pause.
 */
export async function pacedService(
  invocation: Invocation,
  work: () => Promise<number>,
): Promise<number> {
  const fd = listenDescriptor(invocation.environment, process.pid)
  try {
    return await work()
  } catch (error) {
    if (fd === undefined || !isThrown(error, 'usage')) throw error
    process.stderr.write(`pomerium-host-agent: ${error.message}\n`)
    await turnAway(fd)
    return EXIT.usage
  }
}

async function turnAway(fd: number): Promise<void> {
  const signal = stopSignal()
  const began = performance.now()
  const before = changedAt()
  let came = false
  const server: Server = createServer(socket => {
    came = true
    socket.on('error', () => {}).destroy()
  })
  // Closed already, where what failed was serving it.
  server.on('error', () => {})
  server.listen({ fd })
  do await nap(LOOK_MS, signal)
  while (
    // Started by hand, nobody is there, and whoever started us wants to know.
    came &&
    !signal.aborted &&
    changedAt() === before &&
    performance.now() - began < PAUSE_MS
  )
  server.close()
}

function changedAt(): number | undefined {
  return statSync(DEFAULT_CONFIG_FILE, { throwIfNoEntry: false })?.ctimeMs
}
