import { optional } from '../core/basics/when-defined.ts'
import type { Config } from '../core/config/config.ts'
import type { AdoptedKey } from '../core/foreign/adopted-keys.ts'
import { refusesRevoked } from '../core/foreign/foreign-revoked-keys.ts'
import type { Observation } from '../core/host/observation.ts'
import type { Step } from '../core/host/step.ts'
import { placesOfNow, writtenAfter } from '../core/host/written-files.ts'
import { rememberPublished } from '../core/keys/published-keys.ts'
import { describeFailure } from '../core/outcome/failures.ts'
import { asWarning } from '../core/outcome/finding.ts'
import { type HostRefused, refuseHost } from '../core/outcome/host-refusal.ts'
import { keyChanges } from '../core/outcome/key-changes.ts'
import type { Outcome } from '../core/outcome/outcome.ts'
import { hostRefused, type Kept, refused, stopped, succeeded } from '../core/outcome/outcomes.ts'
import { contestedPath, describeFight, recentRepairs } from '../core/outcome/repairs.ts'
import { type Plan, planApply } from '../core/plan/plan.ts'
import { trustInForce } from '../core/plan/trust-in-force.ts'
import type { Wanted } from '../core/plan/wanted.ts'
import type { Turn } from '../core/report/status-record.ts'
import { type Disagreement, withSecondVerdict } from '../core/trust/second-verifier.ts'
import { type Accepted, acceptBundle } from '../core/trust/trust.ts'
import { isThere } from './files/file-system.ts'
import type { Host } from './host/host.ts'
import { observe } from './observe/observe.ts'
import { readSigners } from './observe/read-signers.ts'
import { keysLie, keysOf, keysOnHost, trustOnHost } from './records/keys-on-host.ts'
import {
  FRESH_STATE,
  type HeldBundle,
  isDamaged,
  publishedOn,
  readState,
  type State,
  writeState,
} from './records/state.ts'
import { configuredPorts } from './sshd/listening.ts'
import { execute, type OnInstant } from './transaction/execute.ts'

/** What a cycle is asked to put on the host, and by which rules. */
export interface Request {
  /** The bytes as they came from the source; everything is decided from them again. */
  bundle: Uint8Array
  /** Where they came from, for people: a URL without query. */
  source: string
  config: Config
  now: Date
  /** A person asked for it: somebody else's writing to our files is told, and does not stop it. */
  byHand?: boolean
}

type Good = Extract<Accepted, { kind: 'accepted' }>
type Steps = Extract<Plan, { kind: 'steps' }>

/** One whole cycle: decide, look, plan, run, remember. Called within `runExclusively`. */
export async function provision(
  request: Request,
  host: Host,
  onInstant?: OnInstant,
): Promise<Turn> {
  const state = readState(host)
  if (isDamaged(state)) return { outcome: notOn(host, FRESH_STATE, state) }
  const accepted = await accept(request, host, state)
  if (accepted.kind === 'refused') return { outcome: refused(accepted, kept(host, state)) }
  if (accepted.kind === 'host-refused') return { outcome: notOn(host, state, accepted) }
  const plan = await planOn(host, accepted, request, state)
  const seen = seenBy(plan, host, state)
  if (plan.kind === 'host-refused') return { outcome: notOn(host, state, plan), ...seen }
  const { steps } = plan
  const changes = keyChanges(keysOnHost(host), steps, host.layout.caFile.path)
  const commit = (restart: 'none' | 'restarted' | 'deferred') =>
    writeState(host, remembered(host, accepted, request, plan, state, restart), state)
  const execution = await execute(steps, host, commit, onInstant)
  if (execution.kind !== 'done') {
    const left = kept(host, state, filesOf(plan.adopted))
    return { outcome: stopped(describeFailure(execution), { ...left, steps }), ...seen }
  }
  const unproved =
    host.sshd === undefined ? ['no sshd was there to prove that it uses the keys'] : []
  const advice = plan.advice.map(asWarning)
  const warnings = [...accepted.warnings, ...plan.warnings, ...advice, ...unproved]
  const { serial } = accepted.bundle
  const now = { ...trustOnHost(host), ...optional('serial', serial) }
  const outcome = succeeded(now, plan, execution.restart, warnings, changes)
  const isProved = steps.some(step => step.do === 'prove-trust')
  return { outcome, ...seen, ...(isProved ? { effective: true } : {}) }
}

// Before the steps. An sshd that names our file goes by our keys where they are in it.
function seenBy(plan: Planned, host: Host, { held }: State): Omit<Turn, 'outcome'> {
  const named = trustInForce(plan.sshd, host.layout.caFile.path, plan)
  const effective = named && plan.refuses && keysLie(host, held)
  return {
    ...optional('effective', effective),
    ...optional('ports', plan.sshd.kind === 'readable' ? plan.ports : undefined),
  }
}

/** What is decided from the bytes, what was accepted before and the rules of the config. */
export async function accept(
  { bundle, config, now }: Request,
  host: Host,
  state: State,
): Promise<Accepted | Disagreement | HostRefused> {
  const { fingerprints, signersFile } = config.trust
  const read = signersFile === undefined ? undefined : readSigners(host, signersFile)
  if (read?.kind === 'host-refused') return read
  const policy = { signers: read?.signers, ...optional('fingerprints', fingerprints) }
  const accepted = acceptBundle(bundle, state.held, policy, now)
  return accepted.kind === 'accepted' ? acceptedTwice(accepted, host) : accepted
}

// Each time that a signature counts, what is held included: it costs one short process.
async function acceptedTwice(accepted: Good, host: Host) {
  const { question } = accepted
  if (question === undefined || host.verifyAgain === undefined) return accepted
  const judged = withSecondVerdict(accepted, await host.verifyAgain(question))
  if (judged.kind === 'refused') await host.alarm?.(judged.code, judged.message)
  return judged
}

function notOn(host: Host, state: State, refusal: HostRefused): Outcome {
  return hostRefused(refusal, kept(host, state))
}

/** A plan, and what was seen when it was made. */
export type Planned = Plan &
  Pick<Observation, 'sshd' | 'unseen' | 'config' | 'found'> & {
    ports: readonly number[]
    /** Whether sshd goes by what the held bundle revokes. */
    refuses: boolean
  }

/** The plan for an accepted bundle on the host as it is; what `plan` shows and `apply` runs. */
export async function planOn(
  host: Host,
  accepted: Good,
  request: Request,
  state: State,
): Promise<Planned> {
  const { sshd } = request.config
  const observation = await observe(host, state, sshd.acceptFrom)
  const { keys, revoked } = accepted.bundle
  const wanted: Wanted = { ...sshd, keys, revoked, published: publishedOn(state) }
  const plan = withoutFight(
    planApply(observation, host.layout, wanted),
    accepted,
    request,
    state,
    host,
  )
  const { sshd: seen, unseen, config, found } = observation
  const refuses = refusesRevoked(observation, host.layout, keysOf(state.held).revoked)
  return { ...plan, sshd: seen, unseen, config, found, ports: portsOf(observation), refuses }
}

// Behind a socket it is the socket's ports that count, and these may be others.
function portsOf({ sshd, service, tree }: Observation): number[] {
  const behindSocket = service.kind === 'not-running' && service.socket !== undefined
  if (tree || behindSocket || sshd.kind !== 'readable') return []
  return configuredPorts(sshd.effective)
}

/** What the host trusts, whatever became of the cycle. */
export function kept(host: Host, { held }: State, adopted?: State['adopted']): Kept {
  return {
    ...trustOnHost(host, adopted),
    ...(held?.serial === undefined ? {} : { serial: held.serial }),
  }
}

// The same bundle and yet files to write: somebody has changed them. Once is put right, again and
// again is left alone and said; but for the list without which sshd refuses every key.
function withoutFight(
  plan: Plan,
  accepted: Good,
  { now, byHand }: Request,
  state: State,
  host: Host,
): Plan {
  if (plan.kind !== 'steps' || !isDrift(accepted, plan, state)) return plan
  const path = contestedPath(writtenBy(plan, host), state.repairs, now)
  if (path === undefined) return plan
  const fight = describeFight(path)
  const isVital = path === host.layout.revokedKeys.path
  if (!byHand && !isVital) return refuseHost('contested', fight)
  return { ...plan, warnings: [...plan.warnings, fight] }
}

// What another owner changed among the keys that are adopted is followed, and no drift.
function isDrift({ digest }: Good, { adopted }: Steps, state: State): boolean {
  const before = JSON.stringify(state.adopted ?? {})
  return state.held?.digest === digest && JSON.stringify(filesOf(adopted)) === before
}

const filesOf = (adopted: readonly AdoptedKey[]) =>
  Object.fromEntries(adopted.map(({ fingerprint, file }) => [fingerprint, file]))

// A list that is united with another owner's changes with theirs.
function writtenBy({ steps, unitedWith }: Steps, { layout }: Host): string[] {
  const follows = unitedWith === undefined ? [] : [layout.revokedKeys.path]
  const written = steps.flatMap(step => (step.do === 'write-file' ? [step.path] : []))
  return written.filter(path => !follows.includes(path))
}

function remembered(
  host: Host,
  accepted: Good,
  { bundle, source, now }: Request,
  plan: Steps & Pick<Observation, 'config' | 'found'>,
  state: State,
  restart: 'none' | 'restarted' | 'deferred',
): State {
  const { steps } = plan
  const made = steps.flatMap(step => (step.do === 'make-folder' ? [step.path] : []))
  const at = now.toISOString()
  const drift = isDrift(accepted, plan, state)
  const held = heldFrom(accepted, { bundle, source, now }, state.held)
  const adopted = plan.adopted.length === 0 ? undefined : filesOf(plan.adopted)
  const places = placesOfNow(
    host.layout,
    plan.config,
    plan.found,
    accepted.bundle.revoked.length > 0,
  )
  const repaired = drift ? writtenBy(plan, host).map(path => ({ path, at })) : []
  return {
    version: 1,
    held,
    published: rememberPublished(publishedOn(state), Object.keys(held.since ?? {})),
    ...optional('adopted', adopted),
    madeFolders: [...new Set([...state.madeFolders, ...made])].filter(stillThere(host, steps)),
    written: writtenAfter(state.written ?? [], steps, places, plan.found),
    ...optional('sshd', host.found ?? state.sshd),
    repairs:
      steps.length === 0 ? state.repairs : [...recentRepairs(state.repairs, now), ...repaired],
    ...optional('repaired', (state.repaired ?? 0) + repaired.length || undefined),
    restartDue: restart === 'deferred' || (restart === 'none' && state.restartDue),
  }
}

// A folder that others use too stays, and stays ours to take away once they don't.
function stillThere({ fs, at }: Host, steps: readonly Step[]): (folder: string) => boolean {
  const taken = steps.flatMap(step => (step.do === 'remove-folder' ? [step.path] : []))
  return folder => !taken.includes(folder) || isThere(fs, at(folder))
}

// Taken again, the same bundle keeps the times of when they came; a key keeps its own through rotations.
function heldFrom(
  { bundle: { serial, keys }, digest, signer }: Good,
  { bundle, source, now }: Pick<Request, 'bundle' | 'source' | 'now'>,
  before: HeldBundle | undefined,
): HeldBundle {
  const at = now.toISOString()
  const isSame = before?.digest === digest && before.signer?.fingerprint === signer?.fingerprint
  return {
    ...optional('serial', serial),
    digest,
    // The same bundle in another armor, by the same signer, is nothing new: nothing is written for it.
    bundle: isSame ? before.bundle : Buffer.from(bundle).toString('base64'),
    source,
    acceptedAt: before?.digest === digest ? before.acceptedAt : at,
    since: Object.fromEntries(
      keys.map(({ fingerprint }) => [fingerprint, before?.since?.[fingerprint] ?? at]),
    ),
    ...optional('signer', signer),
  }
}
