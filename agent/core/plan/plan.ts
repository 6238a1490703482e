import { optional } from '../basics/when-defined.ts'
import { renderCaKeys } from '../bundle/bundle.ts'
import type { Layout } from '../config/layout.ts'
import { type AdoptedKey, adoptKeys, isDeadCa } from '../foreign/adopted-keys.ts'
import { describeForeignCa, type ForeignCa, isForSome, isGlobal } from '../foreign/foreign-ca.ts'
import { planRevocation } from '../foreign/foreign-revoked-keys.ts'
import { narrowings, withoutCaForSome } from '../foreign/login-restrictions.ts'
import { refuseConflict } from '../foreign/refuse-conflict.ts'
import {
  isPublishers,
  judgeForeignCas,
  linesLeft,
  linesTakenOver,
  warnOfLeft,
} from '../foreign/take-over.ts'
import { blockLines } from '../host/marked-block.ts'
import type { Observation } from '../host/observation.ts'
import type { Arrangement } from '../host/place-drop-in.ts'
import type { Step } from '../host/step.ts'
import { formerPlaces, withoutFormer } from '../host/written-files.ts'
import type { Finding } from '../outcome/finding.ts'
import { type HostRefused, refuseHost } from '../outcome/host-refusal.ts'
import type { Place } from '../sshd-config/directive.ts'
import { arrangeDropIn, judgeExemption } from './exemption.ts'
import { judgeStartups } from './max-startups.ts'
import { planBack } from './plan-back.ts'
import { planSteps } from './plan-steps.ts'
import { unfitness } from './refuse-host.ts'
import type { Wanted } from './wanted.ts'

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
  const named = revocation.text !== undefined && revocation.unnamed !== true
  const list = named ? layout.revokedKeys.path : undefined
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
  const plan = planSteps(host, layout, wanted, { arrangement, keys, revocation, back, narrowed })
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
