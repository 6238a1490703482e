import { posix } from 'node:path'
import { type AdoptedKey, adoptKeys, isDeadCa } from './adopted-keys.ts'
import { type Arrangement, outrankingPaths } from './arrangement.ts'
import { renderCaKeys } from './bundle.ts'
import type { CaKey } from './ca-key.ts'
import { scanOf } from './config-snapshot.ts'
import { type Proof, proofsFor } from './connections.ts'
import type { DropIn } from './drop-in.ts'
import { trustedUserCaKeys } from './effective-config.ts'
import { arrangeDropIn, judgeExemption } from './exemption.ts'
import type { Finding } from './finding.ts'
import { describeForeignCa, type ForeignCa, isForSome, isGlobal } from './foreign-ca.ts'
import { planRevocation } from './foreign-revoked-keys.ts'
import type { Layout } from './layout.ts'
import { blockLines } from './marked-block.ts'
import { narrowings, withoutCaForSome } from './narrowings.ts'
import type { Observation } from './observation.ts'
import { optional } from './optional.ts'
import {
  changesContent,
  planFile,
  planFolder,
  planMain,
  removeIfThere,
  takeBack,
  whyLeft,
} from './plan-files.ts'
import { planRestart } from './plan-restart.ts'
import { dropRevokedKeys, planRevokedKeys, whyRevokedKeysStay } from './plan-revoked-keys.ts'
import { refuseConflict } from './refuse-conflict.ts'
import { type HostRefused, refuseHost, unfitness, whoSets } from './refuse-host.ts'
import { showBytes } from './sshd-config/bytes.ts'
import type { Place } from './sshd-config/directive.ts'
import { judgeStartups } from './startups.ts'
import type { Step } from './step.ts'
import {
  isPublishers,
  judgeForeignCas,
  linesLeft,
  linesTakenOver,
  warnOfLeft,
} from './take-over.ts'
import { formerPlaces, foundBefore, type Written, withoutFormer } from './written.ts'

export type Plan =
  | {
      kind: 'steps'
      steps: Step[]
      warnings: string[]
      /** What would have this sshd turn Pomerium's users away; with what to write. */
      advice: Finding[]
      /** Keys of another owner that are written beside ours. */
      adopted: AdoptedKey[]
      /** Lines that trust the publisher's keys by files laid by hand, and count no more. */
      tookOver: Place[]
      /** The file of another owner whose revoked keys are written beside ours. */
      unitedWith?: string
    }
  | HostRefused

/** What the host shall be. */
export interface Wanted extends Omit<DropIn, 'revokedKeys'> {
  keys: readonly CaKey[]
  /** CAs that are dead, whoever names them. */
  revoked: readonly CaKey[]
  /** The fingerprints of all keys that ever came to this host by a bundle. */
  published: readonly string[]
  conflict: 'refuse' | 'adopt'
  restart: 'rotation' | 'config-change'
}

/**
 * The steps from the host as it is to the host as wanted; none where it is so already.
 * The keys come before the drop-in that names them, so that sshd never reads a missing file.
 */
export function planApply(found: Observation, layout: Layout, wanted: Wanted): Plan {
  const former = formerPlaces(found, layout)
  const host = { ...found, config: withoutFormer(found.config, former) }
  const types = wanted.keys.map(({ type }) => type)
  const unfit = unfitness(host, layout, types)
  if (unfit !== undefined) return unfit
  const judged = judgeForeignCas(host, layout, wanted)
  // What a Match sets for some wins: where that is dead, it takes nothing from anybody.
  const dead = judged.filter(each => isForSome(each) && isDeadCa(each, host, wanted.revoked))
  const alive = judged.filter(each => !dead.includes(each))
  const conflict = refuseConflict(alive, host, layout, wanted)
  if (conflict !== undefined) return conflict
  const tookOver = linesTakenOver(judged)
  const inForce = judged.find(isGlobal)
  const toAdopt = wanted.conflict === 'adopt' && inForce?.file !== layout.caFile.path
  const adopted = adoptKeys(toAdopt ? inForce : undefined, host, {
    ours: wanted.keys,
    published: wanted.published,
    revoked: wanted.revoked,
  })
  if (adopted.kind === 'host-refused') return adopted
  const revocation = planRevocation(host, layout, wanted)
  if (revocation.kind === 'host-refused') return revocation
  const list = revocation.text === undefined ? undefined : layout.revokedKeys.path
  const scoped = wanted.acceptFrom !== undefined
  const shut = scoped && inForce !== undefined && isPublishers(inForce)
  const dropIn = { ...wanted, shut, ...optional('revokedKeys', list) }
  const { arrangement, exempts } = arrangeDropIn(host, layout, dropIn, {
    outrank: wanted.conflict === 'adopt' || tookOver.length > 0,
    includes: host.includes,
    scoped,
    shut,
    revokes: list !== undefined,
    found: host.found,
  })
  const obstacle =
    arrangement === undefined ? '' : obstacleToBlock(arrangement, host, wanted.acceptFrom)
  if (arrangement === undefined || obstacle !== undefined) {
    return refuseHost(
      'include-missing',
      `sshd would not read ${layout.dropIn.path}; put "Include ${layout.dropInFolder.path}/*.conf" at the top of ${host.config.main}${obstacle}`,
    )
  }
  const back = planBack(former, host, layout)
  const left = linesLeft(alive, layout)
  const warnings = [
    ...adopted.warnings,
    ...dead.map(tellDead),
    ...left.map(each => warnOfLeft(each, wanted.keys)),
    ...narrowings(host, layout),
    ...back.warnings,
  ]
  const keys = renderCaKeys([...wanted.keys, ...adopted.keys])
  const narrowed = [...left, ...dead, ...withoutCaForSome(host, layout)].length > 0
  const texts = { arrangement, keys, back, narrowed, ...optional('revoked', revocation.text) }
  const plan = planSteps(host, layout, wanted, texts)
  if (plan.kind !== 'steps') return plan
  const line = !exempts ? 'not-written' : plan.steps.length > 0 ? 'to-write' : 'written'
  const advice = [
    ...judgeExemption(host, layout, wanted.exemptFromPenalties, line),
    ...judgeStartups(host),
  ]
  const { unitedWith } = revocation
  return {
    ...plan,
    warnings,
    advice,
    adopted: adopted.keys,
    tookOver,
    ...optional('unitedWith', unitedWith),
  }
}

function tellDead(foreign: ForeignCa): string {
  return `${describeForeignCa(foreign)}: all its keys are revoked, and no certificate logs in there; remove that line`
}

/** What `remove` does, and what of ours it can't give back: a sentence each. */
export interface Removal {
  steps: Step[]
  left: { written: Written; why: string }[]
}

/** The steps that take everything of ours off the host: by the record, and where we write now. */
export function planRemove(host: Observation, layout: Layout): Removal {
  const config = [layout.dropIn.path, ...outrankingPaths(layout)]
  const { written = [], madeFolders = [], found } = host
  const now = [
    { path: host.config.main, is: 'block' as const },
    ...config.map(path => ({ path, is: 'config' as const })),
    { path: layout.caFile.path, is: 'keys' as const },
  ]
    .filter(({ path }) => !found.has(path))
    .map(each => ({ ...each, ...optional('found', foundBefore(written, each.path)) }))
  const stays = whyRevokedKeysStay(host, layout)
  const others = written.filter(
    ({ path }) =>
      now.every(each => each.path !== path) &&
      (stays === undefined || path !== layout.revokedKeys.path),
  )
  const all = [...now, ...others]
  const take = (...kinds: Written['is'][]) =>
    kinds.flatMap(is => all.filter(each => each.is === is)).flatMap(each => takeBack(each, host))
  const [removals, keys] = [take('block', 'config'), take('keys')]
  const ofSshd = written.filter(({ is }) => is !== 'textfile')
  const left = ofSshd.flatMap(each => {
    const why = each.path === layout.revokedKeys.path ? stays : whyLeft(each, host)
    return why === undefined ? [] : [{ written: each, why }]
  })
  if (removals.length + keys.length === 0) return { steps: [], left }
  const restart = planRestart(host.service, 'sshd reads its configuration only at start', 'config')
  const folders = madeFolders.toReversed().map((path): Step => {
    return { do: 'remove-folder', path, why: 'made by us' }
  })
  const ofConfig = ({ path }: { path: string }) =>
    all.some(({ is, path: file }) => is === 'config' && posix.dirname(file) === path)
  const isOfConfig = (step: Step) => 'path' in step && ofConfig(step)
  const steps = [
    // What includes the drop-in goes before it.
    ...removals,
    ...folders.filter(isOfConfig),
    ...(host.sshd.kind === 'absent' ? [] : [CHECK_CONFIG]),
    ...(Array.isArray(restart) && removals.length > 0 ? restart : []),
    ...keys,
    ...folders.filter(step => !isOfConfig(step)),
  ]
  return { steps, left }
}

/** What goes back at former places: before the proof, and what sshd may read until its restart. */
interface Back {
  config: Step[]
  keys: Step[]
  warnings: string[]
}

function planBack(former: readonly Written[], host: Observation, layout: Layout): Back {
  const take = (...kinds: Written['is'][]) =>
    former.filter(({ is }) => kinds.includes(is)).flatMap(each => takeBack(each, host))
  const used = [layout.caFolder.path, layout.dropInFolder.path]
  const isFormer = (folder: string) =>
    !used.some(path => path === folder || path.startsWith(`${folder}/`))
  const folders = (host.madeFolders ?? []).filter(isFormer).toReversed()
  const remove = folders.map((path): Step => {
    return { do: 'remove-folder', path, why: 'made by us, and no longer used' }
  })
  const [config, keys] = [take('block', 'config'), take('keys')]
  return {
    config,
    keys: config.length + keys.length === 0 ? [] : [...keys, ...remove],
    warnings: former.flatMap(each => {
      const why = whyLeft(each, host)
      if (why !== undefined) return [why]
      if (each.is !== 'block' || takeBack(each, host).length === 0) return []
      return [`${each.path} had our block: restart the sshd that was started with it`]
    }),
  }
}

const PUT_OFF = 'put off before, to stay below the start limit of the unit'
const CHECK_CONFIG: Step = { do: 'check-config', why: 'sshd must be able to start' }

// Why the block can't be put into sshd's main file, for the end of a sentence that asks a person to.
function obstacleToBlock(
  arrangement: Arrangement,
  { config: { main }, files, includes }: Observation,
  acceptFrom: readonly string[] | undefined,
): string | undefined {
  if (blockLines(arrangement.get(main) ?? '') === 0) return undefined
  if (files.get(main)?.kind !== 'file') return ', which is a link and left to you'
  // An update of the package would put its own in the place of one that we have changed.
  if (main.startsWith('/usr/')) {
    return `, or better of a copy of it in /etc/ssh: what lies in /usr is the vendor's, and not changed`
  }
  // There the directive itself goes into the block, and a Match would scope what follows.
  return !includes && acceptFrom !== undefined
    ? ', with an OpenSSH of 8.2 or later: this one knows no Include, and sshd.accept_from needs one'
    : undefined
}

type Planned = { kind: 'steps'; steps: Step[] } | HostRefused

/** What is to lie on the host, and what is to go. */
interface Texts {
  arrangement: Arrangement
  keys: string
  revoked?: string
  back: Back
  /** Some are to log in by no CA, or by a file of their own. */
  narrowed: boolean
}

function planSteps(
  host: Observation,
  layout: Layout,
  wanted: Wanted,
  { arrangement, keys, revoked, back, narrowed }: Texts,
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
    ...planRevokedKeys(host, layout, revoked),
    ...planFolder(layout.dropInFolder, host),
    ...config,
  ]
  const after = [...(revoked === undefined ? dropRevokedKeys(host, layout) : []), ...back.keys]
  const proofs = provable(proofsFor(wanted.acceptFrom), narrowed)
  if (writes.length + after.length === 0) return planConverged(host, layout, revoked)
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
  const proof = planProof(
    host,
    layout,
    config.length > 0 ? proofs : proofsOfKeys(host, layout, proofs),
    revoked,
  )
  const steps = [...writes, ...proof, ...restart, ...after]
  return { kind: 'steps', steps }
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
function planConverged(host: Observation, layout: Layout, revoked: string | undefined): Planned {
  if (host.sshd.kind === 'readable') {
    const used = trustedUserCaKeys(host.sshd.effective)
    const [list = 'none'] = host.sshd.effective.get('revokedkeys') ?? []
    if (revoked !== undefined && list !== layout.revokedKeys.path) {
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
  revoked: string | undefined,
): Step[] {
  if (host.sshd.kind === 'absent') return []
  const caFile = layout.caFile.path
  const revokedKeys = revoked === undefined ? undefined : layout.revokedKeys.path
  const why = 'sshd must be able to start, and really use the file'
  return [{ do: 'prove-trust', caFile, ...optional('revokedKeys', revokedKeys), proofs, why }]
}

// Only keys are written, and sshd's configuration was looked at a moment ago: where no Match is in it,
// all connections are like the first.
function proofsOfKeys(host: Observation, layout: Layout, proofs: readonly Proof[]) {
  const used = host.sshd.kind === 'readable' ? trustedUserCaKeys(host.sshd.effective) : undefined
  const matches = scanOf(host.config).some(({ keyword }) => keyword === 'match')
  return used !== layout.caFile.path || matches ? proofs : proofs.slice(0, 1)
}
