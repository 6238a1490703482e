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

  // What a container's root has where it was given nothing: no mounts, above all.
  const granted =
    'chown,dac_override,fowner,fsetid,kill,setgid,setuid,setpcap,net_bind_service,sys_chroot'
  const bounded = ['setpriv', '--bounding-set', `-all,+${granted.replaceAll(',', ',+')}`]
  const isRoot = process.getuid?.() === 0

  test.for([
    ['here', []],
    ...(isRoot ? [['as root of a container that can mount nothing', bounded] as const] : []),
  ] as const)('tells its story %s, exits 0 and leaves the machine alone', async ([, prefix]) => {
    const before = machine()
    const program = join(import.meta.dirname, '../demo/demo.ts')
    const [file = '', ...args] = [...prefix, process.execPath, program]
    const { stdout } = await execa(file, args)
    expect(stdout.match(/✓/g)).toHaveLength(15)
    expect(stdout.split('\n').filter(line => line.length > 80)).toEqual([])
    expect(stdout.match(/(accepted|refused)$/gm)).toEqual([
      'refused',
      ...['accepted', 'refused'],
      ...['accepted', 'accepted'],
      ...['refused', 'accepted'],
    ])
    expect(machine()).toEqual(before)
  })
})
