import { posix } from 'node:path'
import { optional } from '../basics/when-defined.ts'
import { isRevokedKeys, type Layout } from '../config/layout.ts'
import type { Revocation as Judged } from '../foreign/foreign-revoked-keys.ts'
import type { Observation } from '../host/observation.ts'
import { type Arrangement, outrankingPaths } from '../host/place-drop-in.ts'
import type { Step } from '../host/step.ts'
import { type Proof, proofsFor } from '../host/trust-proofs.ts'
import { whoSets } from '../host/who-sets.ts'
import { type HostRefused, refuseHost } from '../outcome/host-refusal.ts'
import { showBytes } from '../sshd-config/bytes.ts'
import { scanOf } from '../sshd-config/config-snapshot.ts'
import { trustedUserCaKeys } from '../sshd-config/effective-config.ts'
import type { Back } from './plan-back.ts'
import { changesContent, planFile, planFolder, planMain, removeIfThere } from './plan-files.ts'
import { planRestart } from './plan-restart.ts'
import { dropRevokedKeys, planRevokedKeys } from './plan-revoked-keys.ts'
import type { Wanted } from './wanted.ts'

const PUT_OFF = 'put off before, to stay below the start limit of the unit'

type Revocation = Exclude<Judged, HostRefused>

export type Planned = { kind: 'steps'; steps: Step[] } | HostRefused

/** What is to lie on the host, and what is to go. */
export interface Texts {
  arrangement: Arrangement
  keys: string
  revocation: Revocation
  back: Back
  /** Some are to log in by no CA, or by a file of their own. */
  narrowed: boolean
}

export function planSteps(
  host: Observation,
  layout: Layout,
  wanted: Wanted,
  { arrangement, keys, revocation, back, narrowed }: Texts,
): Planned {
  const caFile = planFile(layout.caFile, keys, host)
  const config = [
    ...planFile(layout.dropIn, arrangement.get(layout.dropIn.path) ?? '', host),
    ...outrankingPaths(layout, host.found).flatMap(path => {
      const text = arrangement.get(path)
      const { mode } = layout.dropIn
      return text === undefined
        ? removeIfThere(path, host.files)
        : planFile({ path, mode }, text, host)
    }),
    ...planMain(host, arrangement.get(host.config.main)),
    ...back.config,
  ]
  const writes = [
    ...planFolder(layout.caFolder, host),
    ...caFile,
    ...planRevokedKeys(host, layout, revocation.text),
    ...planFolder(layout.dropInFolder, host),
    ...config,
  ]
  const lists = listsOf(revocation, layout)
  const dropped = lists === undefined ? dropRevokedKeys(host, layout) : []
  const after = [...dropped, ...back.keys]
  const proofs = provable(proofsFor(wanted.acceptFrom), narrowed)
  if (writes.length + after.length === 0) return planConverged(host, layout, lists)
  const unwritable = refuseUnwritable(writes, host)
  if (unwritable !== undefined) return unwritable
  // An sshd that still goes by the name of the list refuses every key without it.
  const isList = (step: Step) => 'path' in step && isRevokedKeys(step.path)
  const rereads = changesContent(config, host) || after.some(isList)
  const restart = planRestart(
    host.service,
    rereads
      ? 'sshd reads its configuration only at start'
      : changesContent(caFile, host) && wanted.restart === 'rotation'
        ? 'the trusted keys change (sshd.restart: rotation)'
        : host.restartDue
          ? PUT_OFF
          : undefined,
    rereads ? 'config' : 'rotation',
    [...writes, ...after].some(isList),
  )
  if (!Array.isArray(restart)) return restart
  const proof = planProof(
    host,
    layout,
    config.length > 0 ? proofs : proofsOfKeys(host, layout, proofs),
    lists,
  )
  const steps = [...writes, ...proof, ...restart, ...after]
  return { kind: 'steps', steps }
}

// By any of these sshd refuses what the bundle revokes; `undefined`: it revokes nothing.
function listsOf({ text, covering }: Revocation, { revokedKeys }: Layout): string[] | undefined {
  return text === undefined ? undefined : [revokedKeys.path, ...covering]
}

// Where some are to log in by no CA, or by a file of their own, an arbitrary connection may be one of theirs.
function provable([first, ...rest]: readonly [Proof, ...Proof[]], narrowed: boolean): Proof[] {
  return first.user === undefined && narrowed ? [first] : [first, ...rest]
}

function refuseUnwritable(writes: readonly Step[], host: Observation): HostRefused | undefined {
  for (const step of writes) {
    const folder = 'path' in step ? posix.dirname(step.path) : ''
    const why = host.unwritable.get(folder)
    if (why !== undefined) {
      return refuseHost('read-only', `${folder} can't be written to (${why}); mount it read-write`)
    }
  }
  return undefined
}

// The files are right. Where sshd does not use them all the same, no file of ours can mend it.
function planConverged(
  host: Observation,
  layout: Layout,
  lists: readonly string[] | undefined,
): Planned {
  if (host.sshd.kind === 'readable') {
    const used = trustedUserCaKeys(host.sshd.effective)
    const [list = 'none'] = host.sshd.effective.get('revokedkeys') ?? []
    if (lists?.includes(list) === false) {
      const who = whoSets('revokedkeys', host, list)
      return refuseHost('shadowed', `sshd uses RevokedKeys ${showBytes(list)}, by ${who}`)
    }
    if (used !== layout.caFile.path) {
      const who = whoSets('trustedusercakeys', host, used)
      return refuseHost(
        'shadowed',
        `sshd uses TrustedUserCAKeys ${showBytes(used ?? 'none')}, by ${who}`,
      )
    }
  }
  const restart =
    host.service.kind === 'failed'
      ? planRestart(host.service, 'sshd is down', 'config')
      : planRestart(host.service, host.restartDue ? PUT_OFF : undefined, 'rotation')
  return Array.isArray(restart) ? { kind: 'steps', steps: restart } : restart
}

// A tree without an sshd that runs here (an image of another architecture) can't be proved.
function planProof(
  host: Observation,
  layout: Layout,
  proofs: readonly Proof[],
  lists: readonly string[] | undefined,
): Step[] {
  if (host.sshd.kind === 'absent') return []
  const caFile = layout.caFile.path
  const why = 'sshd must be able to start, and really use the file'
  return [{ do: 'prove-trust', caFile, ...optional('revokedKeys', lists), proofs, why }]
}

// Only keys are written, and sshd's configuration was looked at a moment ago: where no Match is in it,
// all connections are like the first.
function proofsOfKeys(host: Observation, layout: Layout, proofs: readonly Proof[]) {
  const used = host.sshd.kind === 'readable' ? trustedUserCaKeys(host.sshd.effective) : undefined
  const matches = scanOf(host.config).some(({ keyword }) => keyword === 'match')
  return used !== layout.caFile.path || matches ? proofs : proofs.slice(0, 1)
}
