import { messageOf } from '../../core/outcome/failures.ts'
import { placeFile } from '../place-file.ts'
import { readBounded } from '../read-bounded.ts'
import { digestOf } from './begin.ts'
import { runOperatorCommand } from './operator-command.ts'
import type { Edition } from './rotation.ts'

/**
 * Puts an edition in the served file, whole, and runs the operator's command behind it. What stands
 * there now must be this edition or one of `instead`: what somebody else has published meanwhile is
 * not thrown away. Says what went wrong, if anything did.
 */
export async function publish(
  { text }: Edition,
  instead: readonly string[],
  { file, command }: { file: string; command?: string | undefined },
): Promise<string | undefined> {
  let present: string
  try {
    present = readBounded(file).toString()
  } catch (error) {
    return `${file} can't be read: ${messageOf(error)}`
  }
  if (present !== text) {
    if (!instead.includes(present) && !instead.includes(digestOf(present))) {
      return `${file} was changed by somebody else since; see what is in it, and begin again`
    }
    try {
      placeFile(file, text)
    } catch (error) {
      return `${file} can't be written: ${messageOf(error)}`
    }
  }
  return command === undefined ? undefined : run(command, file)
}

async function run(command: string, file: string): Promise<string | undefined> {
  const env = { POMERIUM_BUNDLE_FILE: file }
  const { failure, stderr } = await runOperatorCommand(command, env, { shown: false })
  if (failure === undefined) return undefined
  const last = stderr.trim().split('\n').at(-1) ?? ''
  return `the publish command ${failure}: ${last}`
}
