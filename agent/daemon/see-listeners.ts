import { existsSync, readFileSync } from 'node:fs'
import { listensOn, parseListening } from '../core/network/listening-ports.ts'
import { isListening } from '../core/network/unix-sockets.ts'
import type { Listeners } from '../core/report/health.ts'

/**
 * What of the host shows to a process that may see no other and start none: `/proc/self/net`, which is
 * that of the host since this wing has its network. Nobody is woken by it.
 */
export function seeListeners(ports: readonly number[] | undefined, socketPath: string): Listeners {
  const open = ['tcp', 'tcp6'].flatMap(name => parseListening(read(name) ?? ''))
  const sockets = read('unix')
  return {
    sshdListens: listensOn(ports, open),
    // A socket whose name is gone still listens, and nobody finds it.
    provisionerListens:
      sockets === undefined
        ? undefined
        : existsSync(socketPath) && isListening(sockets, socketPath),
  }
}

function read(name: string): string | undefined {
  try {
    return readFileSync(`/proc/self/net/${name}`, 'utf8')
  } catch {
    return undefined
  }
}
