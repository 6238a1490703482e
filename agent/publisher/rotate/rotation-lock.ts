import { once } from 'node:events'
import { realpathSync } from 'node:fs'
import { createServer } from 'node:net'
import { basename, dirname, join } from 'node:path'
import { digestOf } from './begin.ts'

/**
 * Makes sure that one rotation is driven by one process: takes a socket in Linux' abstract namespace
 * (unix(7)), which the kernel gives back however this process ends. `undefined` where another has it.
 */
export async function lockRotation(stateFile: string): Promise<Disposable | undefined> {
  const path = join(realpathSync(dirname(stateFile)), basename(stateFile))
  const server = createServer(socket => socket.destroy())
  // The name is a file's, and no way out of the process may be held open by it.
  server.unref()
  server.listen(`\0pomerium-host-agent-rotation-${digestOf(path).slice(0, 32)}`)
  try {
    await once(server, 'listening')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') return undefined
    throw error
  }
  return { [Symbol.dispose]: () => void server.close() }
}
