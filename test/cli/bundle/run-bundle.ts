import { join } from 'node:path'
import { execa } from 'execa'

export const MAIN = join(import.meta.dirname, '../../../agent/main.ts')

/** Runs `bundle …` as an operator would, to its end, whatever its exit code. */
export async function runBundle(
  args: readonly string[],
  { input = '', env = {} }: { input?: string | Uint8Array; env?: Record<string, string> } = {},
) {
  const { exitCode, stdout, stderr } = await execa(process.execPath, [MAIN, 'bundle', ...args], {
    reject: false,
    input,
    env,
    stripFinalNewline: false,
  })
  return { code: exitCode, stdout, stderr }
}
