import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { optional } from '../../core/basics/when-defined.ts'
import { messageOf } from '../../core/outcome/failures.ts'
import { gatherKeys } from '../../publisher/gather-keys.ts'
import { begin } from '../../publisher/rotate/begin.ts'
import { drive, type Effects } from '../../publisher/rotate/drive.ts'
import { proveLogin } from '../../publisher/rotate/prove-login.ts'
import { publish } from '../../publisher/rotate/publish.ts'
import { advance } from '../../publisher/rotate/rotation.ts'
import { lockRotation } from '../../publisher/rotate/rotation-lock.ts'
import {
  readState,
  type Settings,
  type State,
  writeState,
} from '../../publisher/rotate/state-file.ts'
import { signBundle } from '../../publisher/sign-bundle.ts'
import { openFleet, readTargets } from '../operator/fleet.ts'
import { showProgress } from '../operator/progress.ts'
import { readNamed } from '../operator/read-bundle.ts'
import { printRefusal } from '../operator/refusal.ts'
import { doneBefore, isNewKey, putAway } from '../rotation/done.ts'
import { EXIT_OF, printEndForPrograms } from '../rotation/end.ts'
import { ROTATE_FLAGS, type RotateFlags, settingsOf } from '../rotation/flags.ts'
import { DEFAULT_STATE, RotateScreens } from '../rotation/screens.ts'
import { parseFlags, wholePath } from '../terminal/flags.ts'
import { type Invocation, UsageError } from '../terminal/invocation.ts'
import { print } from '../terminal/screen.ts'
import { stopSignal } from '../terminal/stop-signal.ts'

/** Replaces the User CA in the order that locks nobody out; each call goes as far as it can. */
export async function rotate(invocation: Invocation): Promise<number> {
  const { values } = parseFlags({ args: invocation.args, options: ROTATE_FLAGS })
  const json = values.json ?? false
  // The operator's commands start there, and what is to be typed counts from there.
  wholePath('.')
  const stateFile = wholePath(values.state ?? DEFAULT_STATE)
  const folder = dirname(stateFile)
  if (!existsSync(folder)) throw new UsageError(`there is no folder ${folder}`)
  using lock = await lockRotation(stateFile)
  if (lock === undefined) {
    throw new UsageError(`another "bundle rotate" is at work with ${stateFile}`)
  }
  const state = (await resume(stateFile, values)) ?? (await start(stateFile, values, json))
  if (typeof state === 'number') return state
  const { settings, targets } = state
  state.rotation = leaveBehind(state, values['leave-behind'] ?? [])

  const screens = new RotateScreens(stateFile)
  const signal = stopSignal()
  const flags = {
    ...optional('secret-file', settings.secretFile),
    ...optional('ca-file', settings.caFile),
    ...optional('concurrency', settings.concurrency),
    ...optional('timeout', settings.timeout),
  }
  const fleet = await openFleet(flags, targets, invocation, signal)
  keep(stateFile, state)
  const { bundle: file, publishCommand, proveCommand } = settings
  const effects: Effects = {
    save(rotation) {
      state.rotation = rotation
      keep(stateFile, state)
    },
    publish: (edition, instead) => publish(edition, instead, { file, command: publishCommand }),
    async tell(hosts, wanted, onReport) {
      const progress = showProgress(hosts)
      const reports = await fleet.tell(hosts, wanted, report => {
        progress.update(report)
        onReport(report)
      })
      progress.end()
      return reports
    },
    ...(proveCommand === undefined
      ? {}
      : { prove: fingerprints => proveLogin(proveCommand, fingerprints) }),
    onStep: rotation => (json ? undefined : screens.printStep(rotation)),
    now: () => new Date(),
  }
  const orders = { switched: values.switched ?? false, proved: values.proved ?? false }
  const end = await drive(state.rotation, orders, effects)
  if (!json) screens.printEnd(end)
  const filed = end.kind === 'done' ? putAway(stateFile) : undefined
  if (json) printEndForPrograms(end, filed)
  else if (filed !== undefined) print(`How it went is kept in ${filed}`)
  return EXIT_OF[end.kind]
}

function keep(stateFile: string, state: State): void {
  try {
    writeState(stateFile, state)
  } catch (error) {
    throw new UsageError(`${stateFile} can't be written: ${messageOf(error)}`, { cause: error })
  }
}

/** The state that a former call left; what is given anew counts. */
async function resume(stateFile: string, flags: RotateFlags): Promise<State | undefined> {
  const state = readState(stateFile)
  if (state === undefined) return undefined
  if ('problem' in state) throw new UsageError(state.problem)
  const other = `${stateFile} is of another rotation; name another file by --state, or take this one away`
  if (flags.new !== undefined) {
    if (!(await isNewKey(state, flags.new))) throw new UsageError(other)
  }
  if (flags.compromised && state.rotation.order === 'planned') {
    throw new UsageError(
      `${stateFile} is of a planned rotation; for the emergency order name another file by --state`,
    )
  }
  if (flags.bundle !== undefined && wholePath(flags.bundle) !== state.settings.bundle) {
    throw new UsageError(other)
  }
  if (flags.hosts !== undefined) {
    const given = await readTargets(flags.hosts, [])
    const names = given.map(({ name }) => name)
    // Else one that is new in the list would be waited for by nobody, and nobody would say so.
    if (names.toSorted().join() !== state.rotation.hosts.toSorted().join()) {
      throw new UsageError(
        `${flags.hosts} lists other hosts than ${stateFile}; put them under its "hosts", or leave --hosts out`,
      )
    }
  }
  return { ...state, settings: { ...state.settings, ...settingsOf(flags) } }
}

async function start(
  stateFile: string,
  flags: RotateFlags,
  json: boolean,
): Promise<State | number> {
  const { new: newKey, bundle } = flags
  const before = await doneBefore(stateFile, flags, json)
  if (before !== undefined) return before
  if (newKey === undefined || bundle === undefined) {
    throw new UsageError(
      `there is no rotation in ${stateFile}; to begin one, give --new KEY.pub --bundle FILE --hosts FILE --secret-file FILE`,
    )
  }
  const published = readNamed(bundle)
  const gathered = await gatherKeys([newKey])
  if (gathered.kind === 'problem') throw new UsageError(gathered.message)
  if (gathered.kind === 'refused') return printRefusal(gathered.file, gathered.refusal, json)
  const targets = await readTargets(flags.hosts, [])
  const begun = await begin({
    order: flags.compromised ? 'compromised' : 'planned',
    published,
    newKeys: gathered.keys,
    hosts: targets.map(({ name }) => name),
    now: new Date(),
    ...optional('sign', signer(flags['sign-key'])),
  })
  if (begun.kind === 'problem') throw new UsageError(begun.message)
  if (begun.kind === 'refused') {
    return printRefusal(begun.what === 'published' ? bundle : 'the new bundle', begun, json)
  }
  const settings: Settings = { bundle: wholePath(bundle), ...settingsOf(flags) }
  return { settings, targets, rotation: begun.rotation }
}

// Both editions are signed at the beginning: the key, or the agent that holds it, is not needed again.
function signer(key: string | undefined) {
  if (key === undefined) return undefined
  return async (text: string) => {
    const signed = await signBundle(Buffer.from(text), key)
    return signed.kind === 'signed' ? signed : { kind: 'problem' as const, message: signed.message }
  }
}

function leaveBehind({ rotation }: State, hosts: readonly string[]): State['rotation'] {
  const stranger = hosts.find(host => !rotation.hosts.includes(host))
  if (stranger !== undefined) {
    throw new UsageError(`--leave-behind ${stranger}: no such host in this rotation`)
  }
  return advance(rotation, { what: 'left-behind', hosts }, new Date())
}
