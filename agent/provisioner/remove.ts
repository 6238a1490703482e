import { optional } from '../core/basics/when-defined.ts'
import type { Layout } from '../core/config/layout.ts'
import { describeForeignCa, foreignCaInForce } from '../core/foreign/foreign-ca.ts'
import type { Observation } from '../core/host/observation.ts'
import { recogniseOwnFiles } from '../core/host/recognised-files.ts'
import type { Step } from '../core/host/step.ts'
import { withoutFormer } from '../core/host/written-files.ts'
import { describeFailure } from '../core/outcome/failures.ts'
import { refuseHost } from '../core/outcome/host-refusal.ts'
import { keyChanges } from '../core/outcome/key-changes.ts'
import type { Outcome } from '../core/outcome/outcome.ts'
import { hostRefused, stopped } from '../core/outcome/outcomes.ts'
import { planRemove, type Removal } from '../core/plan/plan-remove.ts'
import type { WorkResult } from './exclusive-run.ts'
import { removeFile } from './files/atomic-write.ts'
import type { Host } from './host/host.ts'
import { observe } from './observe/observe.ts'
import { snapshotConfig } from './observe/snapshot-config.ts'
import { kept } from './provision.ts'
import { keysOnHost } from './records/keys-on-host.ts'
import { FRESH_STATE, isDamaged, readState, type State, writeState } from './records/state.ts'
import { NO_SERVICES, writeStoodDown } from './records/stood-down.ts'
import { removeTextfiles, textfilesOf } from './records/textfile.ts'
import { execute, type OnInstant } from './transaction/execute.ts'

/**
 * Takes everything of ours off the host again, and notes that we stand down from then on. Goes by the
 * record; where that is damaged, by what can be told to be ours. Called within `runExclusively`.
 */
export async function remove(
  host: Host,
  onInstant?: OnInstant,
  { now = new Date(), services = NO_SERVICES } = {},
): Promise<WorkResult> {
  const read = readState(host)
  const damaged = isDamaged(read)
  const state = isDamaged(read) ? await traced(host) : read
  const observation = await observe(host, { ...state, restartDue: false })
  if (observation.sshd.kind === 'broken') {
    const message = `sshd refuses its own configuration; mend it first: ${observation.sshd.message}`
    const outcome = hostRefused(refuseHost('sshd-config-broken', message), kept(host, state))
    return { outcome }
  }
  const { steps, left } = planRemove(observation, host.layout)
  const changes = keyChanges(keysOnHost(host), steps, host.layout.caFile.path)
  const textfiles = textfilesOf(host, state)
  const textfileGone = true as const
  const { path } = host.layout.stateFile
  const aside = `${path}.damaged-${now.toISOString()}`
  const commit = () => {
    if (damaged) host.fs.renameSync(host.at(path), host.at(aside))
    else if (left.length === 0) removeFile(host.fs, host.at(path))
    else writeState(host, { ...FRESH_STATE, ...leftIn(state, left) }, state)
    writeStoodDown(host, now.toISOString(), services)
  }
  const execution = await execute(steps, host, commit, onInstant)
  if (execution.kind !== 'done') {
    const outcome = stopped(describeFailure(execution), { ...kept(host, state), steps })
    return { outcome, textfileGone }
  }
  left.push(...removeTextfiles(host, textfiles))
  const seen = optional('effective', host.sshd === undefined ? undefined : false)
  if (left.length > 0) return { outcome: notAll(left, steps), textfileGone, ...seen }
  if (damaged) return { outcome: withoutRecord(aside, steps), textfileGone, ...seen }
  const [outcome, message] =
    steps.length === 0
      ? (['unchanged', 'nothing of ours is on this host'] as const)
      : (['applied', describeEnd(observation, host.layout)] as const)
  const done = stopped({ outcome, message }, { trusted: [], steps })
  return { outcome: { ...done, ...optional('keys', changes) }, textfileGone, ...seen }
}

// What was found is in force again, where others had set up something before us.
function describeEnd({ config, found, written = [] }: Observation, layout: Layout): string {
  const givenBack = written.flatMap(({ path, found }) => (found ? [[path, found] as const] : []))
  const then = {
    config: withoutFormer(config, written),
    found: new Map([...found, ...givenBack]),
  }
  const again = foreignCaInForce(then, layout)
  return again?.file === undefined
    ? 'this host no longer trusts a Pomerium User CA'
    : `this host is as it was found, and goes by ${describeForeignCa(again)} again`
}

async function traced(host: Host): Promise<State> {
  return { ...FRESH_STATE, written: recogniseOwnFiles((await snapshotConfig(host, [])).config) }
}

// The next remove tries again, at these places alone.
function leftIn({ sshd, madeFolders }: State, left: Removal['left']): Partial<State> {
  const written = left.map(each => each.written)
  return sshd === undefined ? { written, madeFolders } : { written, madeFolders, sshd }
}

function notAll(left: Removal['left'], steps: readonly Step[]): Outcome {
  const places = left.map(({ why }) => why)
  const message = ['not all could be taken off', ...places, 'then run remove again'].join('; ')
  return hostRefused(refuseHost('not-given-back', message), { trusted: [], steps })
}

function withoutRecord(aside: string, steps: readonly Step[]): Outcome {
  const message = [
    `the record was damaged, and lies in ${aside} now`,
    'all that could be found is taken off',
    'what was written by other settings may be left: a former sshd.ca_file or sshd.drop_in',
    'or lines after "# BEGIN pomerium-host-agent" in the configuration of another sshd',
  ].join('; ')
  return hostRefused(refuseHost('state-damaged', message), { trusted: [], steps })
}
