import type { Unseen } from '../../core/host/observation.ts'
import { isListening } from '../../core/network/unix-sockets.ts'
import { bad, type Finding } from '../../core/outcome/finding.ts'
import { judgeUnits, type UnitSeen } from '../../core/services/agent-units.ts'
import { isThere } from '../files/file-system.ts'
import type { Host } from '../host/host.ts'
import { findInit } from '../init/find-init.ts'
import { RECORD_FILE } from '../installation/install-record.ts'
import { openProcessTable, type ProcessTable } from '../processes/process-table.ts'
import { type Run, runCommand } from '../processes/run-command.ts'

/** What of our own services is not well, and what of them could not be seen. */
export interface ServicesSeen {
  found: Finding[]
  unseen: Unseen[]
  /** Whether there are any, which is that something here is to follow the source by itself. */
  installed: boolean
}

const NONE: ServicesSeen = { found: [], unseen: [], installed: false }

/**
 * Asks the init how our services are. `listen` is the webhook's address where the config could be read;
 * `undefined` there is that there is none, a missing `config` that nobody knows.
 */
export async function seeServices(
  host: Host,
  config: { webhook: { listen?: string } } | undefined,
  run: Run = runCommand,
  processes: ProcessTable = openProcessTable(),
): Promise<ServicesSeen> {
  const exists = (path: string) => isThere(host.fs, host.at(path))
  const { init, running } = findInit({ exists, processes })
  // In an image or a container without an init nothing of ours is to run.
  if (init === undefined || !running) return NONE
  const { units, wanted, unseen } = await init.ourServices.see({
    run,
    exists,
    config,
    isRoot: host.isRoot,
  })
  const laid = units.some(({ load }) => load !== 'not-found')
  // Set up here once, or never: then an `apply` by hand, or by cron, is all there is.
  if (!laid && !exists(RECORD_FILE)) return NONE
  const found = judgeUnits(units, wanted)
  const deaf = deafProvisioner(host, units, found, processes)
  return { found: [...found, ...deaf], unseen, installed: true }
}

const PROVISIONER_SOCKET = 'pomerium-host-agent-provisioner.socket'

// The socket may be gone while its unit is up, and under other inits there is no unit to ask.
function deafProvisioner(
  { fs, at, layout }: Host,
  units: readonly UnitSeen[],
  found: readonly Finding[],
  processes: ProcessTable,
): Finding[] {
  const table = processes.read(process.pid, 'net/unix')
  if (table === undefined) return []
  const { path } = layout.socket
  if (isThere(fs, at(path)) && isListening(table, path)) return []
  const told = found.some(({ headline }) => headline.includes('-provisioner'))
  if (told || units.length === 0) return []
  const socket = units.find(({ unit }) => unit === PROVISIONER_SOCKET)
  const restart =
    socket === undefined
      ? 'run: sudo pomerium-host-agent configure'
      : `run: sudo systemctl restart ${PROVISIONER_SOCKET}`
  return [
    bad(
      'provisioner-unreachable',
      `the agent can put nothing in force: nobody listens on ${path}`,
      restart,
    ),
  ]
}
