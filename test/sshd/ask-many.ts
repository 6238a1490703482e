// Asks a shell the same question thousands of times: one process for each shell, not for each question.

import { availableParallelism } from 'node:os'
import { execa } from 'execa'

/**
 * Runs `command` (of sh) in `folder` for `$i` from 0 to `count - 1`, and says where it ended well. It must
 * not read standard input that it is not given.
 */
export async function askMany(
  folder: string,
  count: number,
  command: string,
  env: Record<string, string> = {},
): Promise<boolean[]> {
  const shells = Math.min(availableParallelism() * 2, 8)
  const each = Math.ceil(count / shells)
  const asked = Array.from({ length: shells }, async (_, shell) => {
    const [from, to] = [Math.min(shell * each, count), Math.min((shell + 1) * each, count)]
    const loop = `i=${from}; while [ $i -lt ${to} ]; do if { ${command}\n} >&2; then echo y; else echo n; fi; i=$((i+1)); done`
    const { stdout } = await execa('sh', ['-c', loop], { cwd: folder, env, stderr: 'ignore' })
    const answers = stdout.split('\n').filter(line => line !== '')
    if (answers.length !== to - from) throw new Error(`${answers.length} answers to ${to - from}`)
    return answers.map(answer => answer === 'y')
  })
  return (await Promise.all(asked)).flat()
}
