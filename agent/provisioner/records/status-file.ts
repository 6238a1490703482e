import { optional } from '../../core/basics/when-defined.ts'
import { parseBundle } from '../../core/bundle/bundle.ts'
import { counted } from '../../core/report/poll-record.ts'
import {
  parseStatus,
  type Status,
  statusAfter,
  type Turn,
  type TurnEnd,
} from '../../core/report/status-record.ts'
import { writeFileAtomically } from '../files/atomic-write.ts'
import { lookAt } from '../files/read-file-state.ts'
import type { Host } from '../host/host.ts'
import { openProcessTable } from '../processes/process-table.ts'
import { listeningPorts } from '../sshd/listening.ts'
import { makeOwnFolder } from '../transaction/own-folder.ts'
import { type HeldBundle, stateOrFresh } from './state.ts'
import { readStoodDown } from './stood-down.ts'

/**
 * Tells everybody on the host how a turn ended, and what it holds now. A cycle that was begun on this
 * side, and so is counted here, says whether the source `gave` a bundle; an image is no host yet.
 */
export async function publishStatus(
  host: Host,
  at: string,
  { outcome, effective, ports }: Turn,
  own?: { gave: boolean },
): Promise<Status> {
  const { runFolder, statusFile } = host.layout
  const before = readStatus(host)
  const applies =
    own === undefined || host.tree
      ? before?.applies
      : counted(before?.applies ?? { cycles: {} }, outcome, own.gave ? at : undefined)
  const state = stateOrFresh(host)
  const end: TurnEnd = {
    at,
    outcome,
    ...optional('effective', effective),
    ...optional('ports', ports && portsInUse(ports)),
    ...optional('held', state.held && describeHeld(state.held)),
    restarts: { ...host.service.restarts(), due: state.restartDue },
    repaired: state.repaired ?? 0,
    ...optional('applies', applies),
    ...optional(
      'standsDown',
      outcome.trusted.length === 0 && readStoodDown(host) !== undefined ? true : undefined,
    ),
  }
  const status = statusAfter(end, before)
  await makeOwnFolder(host, runFolder)
  const content = Buffer.from(`${JSON.stringify(status, null, 2)}\n`)
  const { mode } = statusFile
  writeFileAtomically(host.fs, host.at(statusFile.path), { content, mode, ...host.owner })
  return status
}

// An address that is not up leaves its port closed, which is no news: of several ports, those count that
// were open. Where none is, sshd is down.
function portsInUse(ports: readonly number[]): readonly number[] {
  const open = listeningPorts(openProcessTable(), 1, ports)
  const used = ports.filter(port => open.includes(port))
  return used.length > 0 ? used : ports
}

/** The last turn's status; `undefined` where there was none since boot, or the file is damaged. */
export function readStatus(host: Pick<Host, 'fs' | 'at' | 'layout'>): Status | undefined {
  const status = lookAtStatus(host)
  return typeof status === 'object' ? status : undefined
}

/** The last turn's status, or why there is none to be read. */
export function lookAtStatus({
  fs,
  at,
  layout,
}: Pick<Host, 'fs' | 'at' | 'layout'>): Status | 'missing' | 'damaged' {
  const file = lookAt(fs, at(layout.statusFile.path))
  if (file.kind === 'missing') return 'missing'
  return (file.kind === 'file' ? parseStatus(file.content.toString()) : undefined) ?? 'damaged'
}

function describeHeld({ bundle, source, acceptedAt, since, signer }: HeldBundle): TurnEnd['held'] {
  const parsed = parseBundle(Buffer.from(bundle, 'base64'))
  const { serial, issued, expires } = parsed.kind === 'bundle' ? parsed : {}
  return {
    source,
    acceptedAt,
    ...optional('serial', serial),
    ...optional('issued', issued?.toISOString()),
    ...optional('expires', expires?.toISOString()),
    ...optional('since', since),
    ...optional('signer', signer),
  }
}
