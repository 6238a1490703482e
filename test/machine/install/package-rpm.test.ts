// No host of these tests has rpm for its own. Debian's rpm installs without dependencies, and runs the
// scriptlets in rpm's order with rpm's arguments.

import { basename } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { packRpm } from '../../../installer/package/rpm.ts'
import { describeTier } from '../../sshd/describe-tier.ts'
import { machineTier } from '../harness/available.ts'
import {
  bootPackageHost,
  NEWER,
  NEXT_STEP,
  type PackageKit,
  packageKit,
} from '../hosts/package-host.ts'

describeTier('the .rpm', machineTier(), () => {
  let kit: PackageKit
  beforeAll(async () => {
    kit = await packageKit(packRpm)
  })
  afterAll(() => kit?.[Symbol.asyncDispose]())

  test('in, configured, upgraded, removed: followed until then, trusted beyond', async () => {
    await using it = await bootPackageHost(kit, { suite: 'bookworm', packages: ['rpm'] })
    const rpm = (words: string) => it.tool(`rpm --nodeps --force-debian ${words}`)

    const first = await rpm(`-i ./${basename(kit.usual)}`)
    expect(first.stdout).toContain(NEXT_STEP)
    expect(first.code).toBe(0)
    expect(await it.units()).toBe('')
    expect(await rpm('-V pomerium-host-agent')).toMatchObject({ code: 0, stdout: '' })
    await it.configure()

    const upgrade = rpm(`-U ./${basename(kit.newer)}`)
    expect(await it.acceptedDuring(upgrade)).not.toContain(false)
    expect(await upgrade).toMatchObject({ code: 0 })
    const { stdout } = await it.host.exec(
      'pomerium-host-agent --version; systemctl --failed --no-legend',
    )
    expect(stdout).toBe(`pomerium-host-agent ${NEWER}\n`)
    expect(await it.units()).toContain('pomerium-host-agent.timer')

    const removed = await rpm('-e pomerium-host-agent')
    expect(removed).toMatchObject({ code: 0 })
    expect(removed.stdout).toContain('keeps trusting')
    expect(await it.units()).toBe('')
    expect(await it.accepted()).toBe(true)

    expect(await rpm(`-i ./${basename(kit.usual)}`)).toMatchObject({ code: 0 })
    await it.host.exec('pomerium-host-agent configure --undo')
    expect(await rpm('-e pomerium-host-agent')).toMatchObject({ code: 0 })
    expect(await it.accepted()).toBe(false)
    const { stdout: of } = await it.tool(
      'find / -xdev -name "pomerium*" -not -path "/root/*" -not -path "/tmp/*"',
    )
    expect(of).toBe('')
  })
})
