import type { Unseen } from '../../core/host/observation.ts'
import { isListening } from '../../core/network/unix-sockets.ts'
import { bad, type Finding } from '../../core/outcome/finding.ts'
import { AGENT_UNITS, judgeUnits, type UnitSeen } from '../../core/services/agent-units.ts'
import {
  RESIDENT_DROP_IN,
  SERVICE,
  unitsToStart,
  WEBHOOK_DROP_IN,
} from '../../core/services/unit-drop-ins.ts'
import { isThere } from '../files/file-system.ts'
import type { Host } from '../host/host.ts'
import { findInit, type Init } from '../init/find-init.ts'
import { scriptStates } from '../init/our-services/scripts.ts'
import { showUnits } from '../init/systemd/show-units.ts'
import type { Unit } from '../init/systemd/systemd-units.ts'
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
  const seen =
    init === 'systemd'
      ? await underSystemd(run)
      : await underScripts(init, exists, run, host.isRoot)
  const laid = seen.units.some(({ load }) => load !== 'not-found')
  // Set up here once, or never: then an `apply` by hand, or by cron, is all there is.
  if (!laid && !exists(RECORD_FILE)) return NONE
  const wanted = init === 'systemd' ? wantedUnits(seen.units, config, exists) : seen.wanted
  const found = judgeUnits(seen.units, wanted)
  const deaf = deafProvisioner(host, seen.units, found, processes)
  return { found: [...found, ...deaf], unseen: seen.unseen, installed: true }
}

interface Seen {
  units: UnitSeen[]
  wanted: string[]
  unseen: Unseen[]
}

const PROPERTIES = [
  'Id',
  'LoadState',
  'ActiveState',
  'SubState',
  'Result',
  'UnitFileState',
  'ExecMainStatus',
  'NRestarts',
  'ActiveEnterTimestampMonotonic',
]

async function underSystemd(run: Run): Promise<Seen> {
  const names = [...AGENT_UNITS.keys()]
  const { code, stderr, units } = await showUnits(run, names, PROPERTIES)
  if (code !== 0) {
    const why = `systemctl show: ${stderr.trim() || `exit code ${code}`}`
    return { units: [], wanted: [], unseen: [{ what: 'the units of the agent', why }] }
  }
  const upMs = Number(process.hrtime.bigint() / 1_000_000n)
  return { units: units.map(unit => unitSeen(unit, upMs)), wanted: [], unseen: [] }
}

function unitSeen(unit: Unit, monotonicMs: number): UnitSeen {
  const get = (name: string) => unit.get(name) ?? ''
  const count = Number(get('NRestarts') || 0)
  const upMs = monotonicMs - Number(get('ActiveEnterTimestampMonotonic') || 0) / 1000
  const status = unit.get('ExecMainStatus')
  return {
    unit: get('Id'),
    load: get('LoadState'),
    active: get('ActiveState'),
    sub: get('SubState'),
    result: get('Result'),
    file: get('UnitFileState'),
    ...(status === undefined ? {} : { status: Number(status) }),
    ...(count > 0 ? { restarts: { count, upSeconds: Math.round(upMs / 1000) } } : {}),
  }
}

function wantedUnits(
  units: readonly UnitSeen[],
  config: { webhook: { listen?: string } } | undefined,
  exists: (path: string) => boolean,
): string[] {
  const service = units.find(({ unit }) => unit === SERVICE)
  const resident = exists(RESIDENT_DROP_IN) || service?.file === 'enabled'
  const listen = exists(WEBHOOK_DROP_IN) ? { listen: 'as its drop-in says' } : {}
  return unitsToStart({ webhook: config?.webhook ?? listen }, { resident }).wanted
}

async function underScripts(
  init: Exclude<Init, 'systemd'>,
  exists: (path: string) => boolean,
  run: Run,
  isRoot: boolean,
): Promise<Seen> {
  // Their scripts and supervisors answer nobody else.
  if (!isRoot) {
    const unseen = [{ what: 'the services of the agent', why: `only root may ask ${init}` }]
    return { units: [], wanted: [], unseen }
  }
  const states = await scriptStates(init, exists, run)
  const units = states.map(({ name, laid, up, start }) => ({
    unit: name,
    load: laid ? 'loaded' : 'not-found',
    active: up ? 'active' : 'inactive',
    sub: '',
    result: 'success',
    file: 'enabled',
    start,
  }))
  return { units, wanted: states.map(({ name }) => name), unseen: [] }
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
