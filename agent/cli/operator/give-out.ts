import { messageOf } from '../../core/outcome/failures.ts'
import { placeFile } from '../../publisher/place-file.ts'
import { UsageError } from '../terminal/invocation.ts'

/** Puts a bundle where `--output` says, else on standard output; a UsageError where it can't lie there. */
export function giveOut(bundle: string, output: string | undefined): void {
  if (output === undefined) {
    process.stdout.write(bundle)
    return
  }
  try {
    placeFile(output, bundle)
  } catch (error) {
    const problem = `the bundle can't be written to ${output}: ${messageOf(error)}`
    throw new UsageError(problem, { cause: error })
  }
}
