import type { Run } from '../processes/run-command.ts'
import { SetupError } from './setup-error.ts'

/** Runs a command that can't fail but for a reason that a person must see. */
export async function runOrThrow(run: Run, argv: readonly string[]): Promise<void> {
  const { code, stderr } = await run(argv)
  if (code !== 0) throw new SetupError(`${argv.join(' ')}: ${stderr.trim() || `exit code ${code}`}`)
}
