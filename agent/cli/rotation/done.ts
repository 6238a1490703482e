import { messageOf } from '../../core/outcome/failures.ts'
import { gatherKeys } from '../../publisher/gather-keys.ts'
import { readBounded } from '../../publisher/read-bounded.ts'
import { fileAway, readLastDone } from '../../publisher/rotate/finished.ts'
import type { State } from '../../publisher/rotate/state-file.ts'
import { readTargets } from '../operator/fleet.ts'
import { warn } from '../operator/warn.ts'
import { wholePath } from '../terminal/flags.ts'
import { UsageError } from '../terminal/invocation.ts'
import { print } from '../terminal/screen.ts'
import { EXIT_OF, printEndForPrograms } from './end.ts'
import type { RotateFlags } from './flags.ts'

/** Files a finished state away; a folder that can't be written any more is only told of. */
export function putAway(stateFile: string): string | undefined {
  try {
    return fileAway(stateFile, new Date())
  } catch (error) {
    warn(`${stateFile} is of a finished rotation, and can't be renamed: ${messageOf(error)}`)
    return undefined
  }
}

/** Whether a file holds the key that a rotation is to. */
export async function isNewKey({ rotation }: State, file: string): Promise<boolean> {
  const given = await gatherKeys([file])
  const held = new Set(rotation.editions.new.fingerprints)
  return given.kind === 'gathered' && given.keys.every(key => held.has(key.fingerprint))
}

/**
 * Says that the rotation that is called for is done, where a former call has filed it away; the exit code,
 * or `undefined` where there is none. Who calls until it is done may have been killed before he read it.
 */
export async function doneBefore(
  stateFile: string,
  flags: RotateFlags,
  json: boolean,
): Promise<number | undefined> {
  const last = lastDone(stateFile)
  if (last === undefined || !(await isSame(last.state, flags))) return undefined
  const { file, state } = last
  const { rotation } = state
  if (json) printEndForPrograms({ kind: 'done', rotation, reports: [] }, file)
  else {
    const at = rotation.history.at(-1)?.at.slice(0, 10) ?? ''
    print(`The last rotation was done on ${at}; how it went is in`)
    print(`  ${file}`)
    print('To begin another, give its --new KEY.pub, --bundle, --hosts and --secret-file.')
  }
  return EXIT_OF.done
}

function lastDone(stateFile: string) {
  try {
    return readLastDone(stateFile)
  } catch (error) {
    const problem = `the folder of ${stateFile} can't be read: ${messageOf(error)}`
    throw new UsageError(problem, { cause: error })
  }
}

/** Whether a finished rotation is the one that is called for, and what it published still stands. */
async function isSame(state: State, flags: RotateFlags): Promise<boolean> {
  const { settings } = state
  if (flags.bundle !== undefined && wholePath(flags.bundle) !== settings.bundle) return false
  if (flags.new !== undefined && !(await isNewKey(state, flags.new))) return false
  // A pipe is read once, by whoever begins.
  if (flags.hosts === '-') return false
  if (flags.hosts !== undefined) {
    const given = (await readTargets(flags.hosts, [])).map(({ name }) => name)
    if (given.some(name => !state.rotation.hosts.includes(name))) return false
  }
  try {
    return readBounded(settings.bundle).toString() === state.rotation.editions.new.text
  } catch {
    return false
  }
}
