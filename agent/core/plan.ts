import { posix } from 'node:path'
import { adoptKeys, unionOfKeys } from './adopted-keys.ts'
import { type Arrangement, arrange, outrankingPaths } from './arrangement.ts'
import { renderCaKeys } from './bundle.ts'
import type { CaKey } from './ca-key.ts'
import { scanWith } from './config-snapshot.ts'
import { type Proof, proofsFor } from './connections.ts'
import { type DropIn, renderDropIn } from './drop-in.ts'
import { trustedUserCaKeys } from './effective-config.ts'
import { describeForeignCa, type ForeignCa, findForeignCas } from './foreign-ca.ts'
import type { Layout } from './layout.ts'
import { blockLines } from './marked-block.ts'
import { narrowings } from './narrowings.ts'
import type { Observation } from './observation.ts'
import { changesContent, planFile, planFolder, planMain, removeIfThere } from './plan-files.ts'
import { planRestart } from './plan-restart.ts'
import { type HostRefused, refuseHost, unfitness, whoSets } from './refuse-host.ts'
import type { Directive } from './sshd-config/directive.ts'
import { settingsBefore } from './sshd-config/reach.ts'
import type { Step } from './step.ts'

export type Plan = { kind: 'steps'; steps: Step[]; warnings: string[] } | HostRefused

/** What the host shall be. */
export interface Wanted extends DropIn {
  keys: readonly CaKey[]
  conflict: 'refuse' | 'adopt'
  restart: 'rotation' | 'config-change'
}

/**
 * The steps from the host as it is to the host as wanted; none where it is so already.
 * The keys come before the drop-in that names them, so that sshd never reads a missing file.
 */
export function planApply(host: Observation, layout: Layout, wanted: Wanted): Plan {
  const types = wanted.keys.map(({ type }) => type)
  const unfit = unfitness(host, layout, types)
  if (unfit !== undefined) return unfit
  const directives = scanWith(host.config)
  const foreign = findForeignCas(directives, layout.caFile.path)
  const conflict = refuseConflict(foreign, directives, layout, wanted)
  if (conflict !== undefined) return conflict
  const adopted = adopt(foreign, host)
  const arrangement = arrange(host.config, layout, renderDropIn(wanted), {
    outrank: wanted.conflict === 'adopt',
    includes: host.includes,
  })
  if (arrangement === undefined || canNotStand(arrangement, host, wanted)) {
    return refuseHost(
      'include-missing',
      `sshd would not read ${layout.dropIn.path}; put "Include ${layout.dropInFolder.path}/*.conf" at the top of ${host.config.main}`,
    )
  }
  const warnings = [...adopted.warnings, ...narrowings(directives, layout.caFile.path)]
  const keys = renderCaKeys(unionOfKeys(wanted.keys, adopted.keys))
  return planSteps(host, layout, wanted, arrangement, keys, warnings)
}

/** The steps that take everything of ours off the host; `folders` are those that we had made. */
export function planRemove(host: Observation, layout: Layout, madeFolders: readonly string[]) {
  const config = [layout.dropIn.path, ...outrankingPaths(layout)]
  const removals = config.flatMap(path => removeIfThere(path, host.files))
  const main = planMain(host, undefined)
  const folders = ({ path }: { path: string }): Step[] =>
    madeFolders.includes(path) ? [{ do: 'remove-folder', path, why: 'made by us' }] : []
  const caFile = removeIfThere(layout.caFile.path, host.files)
  if (removals.length + main.length + caFile.length === 0) return []
  const restart = planRestart(host.service, 'sshd reads its configuration only at start', 'config')
  return [
    // What includes the drop-in goes before it.
    ...main,
    ...removals,
    ...folders(layout.dropInFolder),
    ...(host.sshd.kind === 'absent' ? [] : [CHECK_CONFIG]),
    ...(Array.isArray(restart) && removals.length + main.length > 0 ? restart : []),
    ...caFile,
    ...folders(layout.caFolder),
  ]
}

const PUT_OFF = 'put off before, to stay below the start limit of the unit'
const CHECK_CONFIG: Step = { do: 'check-config', why: 'sshd must be able to start' }

function refuseConflict(
  foreign: readonly ForeignCa[],
  directives: readonly Directive[],
  layout: Layout,
  { conflict }: Wanted,
): HostRefused | undefined {
  const before = settingsBefore(layout.dropIn.path, directives, 'trustedusercakeys')
  const scoped = foreign.find(({ at, file }) => file !== undefined && at.matches.length > 0)
  if (scoped !== undefined) {
    return refuseHost(
      'foreign-ca',
      `another CA is trusted by ${describeForeignCa(scoped)}; a Match can not be adopted, remove that line first`,
    )
  }
  const displaced = foreign.find(
    ({ at, file }) => file !== undefined || (at.matches.length === 0 && before.includes(at)),
  )
  if (displaced !== undefined && conflict === 'refuse') {
    return refuseHost(
      displaced.file === undefined ? 'shadowed' : 'foreign-ca',
      `another owner's line wins: ${describeForeignCa(displaced)}; remove it, or set sshd.conflict: adopt to trust its keys too`,
    )
  }
  return undefined
}

function adopt(foreign: readonly ForeignCa[], { foreignCaFiles }: Observation) {
  const files = [...new Set(foreign.flatMap(({ file }) => file ?? []))]
  const adopted = files.map(file => ({
    file,
    ...adoptKeys(foreignCaFiles.get(file) ?? Buffer.alloc(0)),
  }))
  return {
    keys: adopted.flatMap(({ keys }) => keys),
    warnings: adopted.flatMap(({ file, left }) =>
      left.map(line => `${file}:${line}: not a CA key that can be adopted; left out`),
    ),
  }
}

// The block goes into a regular file; without Include the directive itself goes into the block, and a Match would scope what follows.
function canNotStand(arrangement: Arrangement, host: Observation, wanted: Wanted): boolean {
  const { main } = host.config
  const blockStands = blockLines(arrangement.get(main) ?? '') > 0
  const scoped = !host.includes && wanted.acceptFrom !== undefined
  return blockStands && (scoped || host.files.get(main)?.kind !== 'file')
}

function planSteps(
  host: Observation,
  layout: Layout,
  wanted: Wanted,
  arrangement: Arrangement,
  keys: string,
  warnings: string[],
): Plan {
  const caFile = planFile(layout.caFile, keys, host)
  const config = [
    ...planFile(layout.dropIn, arrangement.get(layout.dropIn.path) ?? '', host),
    ...outrankingPaths(layout).flatMap(path => {
      const text = arrangement.get(path)
      const { mode } = layout.dropIn
      return text === undefined
        ? removeIfThere(path, host.files)
        : planFile({ path, mode }, text, host)
    }),
    ...planMain(host, arrangement.get(host.config.main)),
  ]
  const writes = [
    ...planFolder(layout.caFolder, host),
    ...caFile,
    ...planFolder(layout.dropInFolder, host),
    ...config,
  ]
  const proofs = proofsFor(wanted.acceptFrom)
  if (writes.length === 0) return planConverged(host, layout, warnings)
  const unwritable = refuseUnwritable(writes, host)
  if (unwritable !== undefined) return unwritable
  const restart = planRestart(
    host.service,
    changesContent(config, host)
      ? 'sshd reads its configuration only at start'
      : changesContent(caFile, host) && wanted.restart === 'rotation'
        ? 'the trusted keys change (sshd.restart: rotation)'
        : host.restartDue
          ? PUT_OFF
          : undefined,
    changesContent(config, host) ? 'config' : 'rotation',
  )
  if (!Array.isArray(restart)) return restart
  const steps = [...writes, ...planProof(host, layout, proofs), ...restart]
  return { kind: 'steps', steps, warnings }
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
function planConverged(host: Observation, layout: Layout, warnings: string[]): Plan {
  if (host.sshd.kind === 'readable') {
    const used = trustedUserCaKeys(host.sshd.effective)
    if (used !== layout.caFile.path) {
      const who = whoSets('trustedusercakeys', scanWith(host.config), used)
      return refuseHost('shadowed', `sshd uses TrustedUserCAKeys ${used ?? 'none'}, by ${who}`)
    }
  }
  const restart =
    host.service.kind === 'failed'
      ? planRestart(host.service, 'sshd is down', 'config')
      : planRestart(host.service, host.restartDue ? PUT_OFF : undefined, 'rotation')
  return Array.isArray(restart) ? { kind: 'steps', steps: restart, warnings } : restart
}

// A tree without an sshd that runs here (an image of another architecture) can't be proved.
function planProof(host: Observation, layout: Layout, proofs: readonly Proof[]): Step[] {
  if (host.sshd.kind === 'absent') return []
  const caFile = layout.caFile.path
  return [CHECK_CONFIG, { do: 'prove-trust', caFile, proofs, why: 'sshd must really use the file' }]
}
