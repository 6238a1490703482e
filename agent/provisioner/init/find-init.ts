import { isThere, realFileSystem } from '../files/file-system.ts'
import { openProcessTable } from '../processes/process-table.ts'
import type { Init, ServiceHost } from './init.ts'
import { INITS } from './inits.ts'

type Look = Pick<ServiceHost, 'exists' | 'processes'>

/**
 * The inits that run: more than one where one keeps its runlevels under the process 1 of another. Scripts
 * and units of others lie about everywhere, and say nothing: openssh-server brings all three of Debian's.
 */
export function runningInits({ exists, processes }: Look): Init[] {
  const comm = (processes.read(1, 'comm') ?? '').trim()
  return INITS.filter(({ running: { file, process1 } }) => {
    return (file === undefined || exists(file)) && (process1 === undefined || comm === process1)
  })
}

/**
 * The init whose services are to be laid: the one that runs, else (in an image, a chroot) the one
 * that is installed. `running`: whether services can be started now.
 */
export function findInit(look: Look): { init: Init | undefined; running: boolean } {
  const [init] = runningInits(look)
  if (init !== undefined) return { init, running: true }
  const isInstalled = ({ installed }: Init) => installed.some(look.exists)
  return { init: INITS.find(isInstalled), running: false }
}

/** The same, of the host that this process runs on. */
export function findInitHere() {
  const exists = (path: string) => isThere(realFileSystem, path)
  return findInit({ exists, processes: openProcessTable() })
}
