import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import { expect, test } from 'vitest'
import { describeTier } from './describe-tier.ts'
import { findTools } from './tools.ts'

describeTier('the demo', findTools(), () => {
  const machine = () =>
    ['/etc/ssh', '/etc/ssh/sshd_config.d', '/var/lib', '/run'].map(folder =>
      existsSync(folder) ? readdirSync(folder) : [],
    )

  test('tells its story, exits 0 and leaves the machine alone', async () => {
    const before = machine()
    const program = join(import.meta.dirname, '../demo/demo.ts')
    const { stdout } = await execa(process.execPath, [program])
    expect(stdout.match(/✓/g)).toHaveLength(15)
    expect(stdout.match(/(accepted|refused)$/gm)).toEqual([
      'refused',
      ...['accepted', 'refused'],
      ...['accepted', 'accepted'],
      ...['refused', 'accepted'],
    ])
    expect(machine()).toEqual(before)
  })
})
