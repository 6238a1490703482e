import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'

/** Who runs cycles. systemd sees to it that there is one process of each at most. */
export type CycleOwner = 'poll' | 'webhook'

/**
 * Waits until the other party is in no cycle, and returns what to call at the end of ours. A bundle that
 * was fetched earlier must not come to the provisioner later, and the notes are one file for both.
 *
 * Node has no flock(2) and this wing starts no process, so each party listens on a socket of its own while
 * it wants or has the turn; the kernel closes it however the process ends. Both look for the other after
 * they have begun to listen, so that at least one sees the other; where both do, the poll steps back, since
 * nobody waits for it. Where a socket can't be made (a full disk) the turn is not waited for.
 *
 * Rejects with the signal's reason once it is aborted.
 */
export async function lockCycle(
  folder: string,
  owner: CycleOwner,
  signal: AbortSignal,
): Promise<() => void> {
  const place = (of: CycleOwner) => join(folder, `${of}.turn`)
  const theirs = place(owner === 'poll' ? 'webhook' : 'poll')
  let leave = await announce(place(owner))
  for (;;) {
    const other = await meet(theirs)
    if (other === undefined) return leave
    if (owner === 'poll') leave()
    try {
      await departure(other, signal)
    } catch (error) {
      leave()
      throw error
    }
    if (owner === 'poll') leave = await announce(place(owner))
  }
}

async function announce(path: string): Promise<() => void> {
  const met = new Set<Socket>()
  const server = createServer(socket => {
    met.add(socket.on('error', ignore))
  }).on('error', ignore)
  try {
    // What a killed one left. No other process has this name.
    rmSync(path, { force: true })
    server.listen(path)
    await once(server, 'listening')
  } catch {
    return () => {}
  }
  return () => {
    server.close()
    for (const socket of met) socket.destroy()
  }
}

/** A connection that lasts as long as the other has the turn; `undefined` where nobody has it. */
async function meet(path: string): Promise<Socket | undefined> {
  const socket = connect(path)
  try {
    await once(socket, 'connect')
    return socket.on('error', ignore).resume()
  } catch {
    return undefined
  }
}

async function departure(other: Socket, signal: AbortSignal): Promise<void> {
  try {
    if (!other.closed) await once(other, 'close', { signal })
  } catch {
    signal.throwIfAborted()
  } finally {
    other.destroy()
  }
}

const ignore = () => {}
