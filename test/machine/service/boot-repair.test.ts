import { rm, writeFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { describeTier } from '../../sshd/describe-tier.ts'
import { type Ca, makeCa } from '../../sshd/ssh-ca.ts'
import { machineTier } from '../harness/available.ts'
import type { Host } from '../harness/host.ts'
import { login } from '../harness/login.ts'
import { suitesFor } from '../harness/share.ts'
import { type AgentHost, CA_FILE, DROP_IN } from '../hosts/agent-host.ts'
import { bootInstalledHost } from '../hosts/installed-host.ts'

const JOURNAL = '/var/lib/pomerium-host-agent/journal.json'
const PROGRAM = '/usr/local/bin/pomerium-host-agent'

/** For a boot in which a repair goes on after sshd has started. */
async function sshdIsUp(host: Host): Promise<boolean> {
  const { stdout } = await host.exec('systemctl is-active ssh.service', { allowFail: true })
  return stdout.trim() === 'active'
}

describeTier('boot without a source', machineTier(), () => {
  describe.each(suitesFor({ slice: ['bookworm'] }))('%s', suite => {
    let it: AgentHost
    let first: Ca
    let second: Ca
    beforeAll(async () => {
      ;[first, second] = await Promise.all([makeCa(), makeCa()])
      it = await bootInstalledHost({ suite, booted: sshdIsUp })
      await it.publish(first.publicKey)
      expect((await it.apply()).code).toBe(0)
    })
    afterAll(async () => {
      await it?.stop()
      await first?.[Symbol.asyncDispose]()
      await second?.[Symbol.asyncDispose]()
    })
    const outcomeOf = async (ca: Ca) => (await login(it.host, { ca })).outcome
    const started = async (unit: string) => {
      const { ActiveEnterTimestampMonotonic, InactiveEnterTimestampMonotonic } =
        await it.host.unitProperties(unit, [
          'ActiveEnterTimestampMonotonic',
          'InactiveEnterTimestampMonotonic',
        ])
      return [ActiveEnterTimestampMonotonic, InactiveEnterTimestampMonotonic].map(Number)
    }

    test('what was changed while the host was off is right before sshd starts', async () => {
      await it.stopControlPlane()
      await it.host.powerCut()
      await rm(it.host.path(DROP_IN))
      await writeFile(it.host.path(CA_FILE), 'garbage\n', { mode: 0o666 })
      await it.host.reboot()
      expect(await outcomeOf(first)).toBe('accepted')
      const [sshdUp = 0, sshdDown] = await started('ssh.service')
      const [, repaired = 0] = await started('pomerium-host-agent-boot.service')
      expect(repaired).toBeGreaterThan(0)
      expect(sshdUp).toBeGreaterThanOrEqual(repaired)
      // Once, and not again for what was put right.
      expect(sshdDown).toBe(0)
    })

    test('a transaction that was cut off by a loss of power is undone', async () => {
      await it.startControlPlane()
      await it.publish(second.publicKey)
      // The restart of sshd is its longest step, and the journal lies there for as long.
      const slow = '/etc/systemd/system/ssh.service.d/slow.conf'
      await it.host.write(slow, '[Service]\nExecStartPre=/bin/sleep 3\n')
      await it.host.exec('systemctl daemon-reload')
      await it.host.exec(`rm ${DROP_IN}`)
      const cut = it.agent('apply').catch(() => {})
      await it.host.waitFor('the journal', () => it.host.exists(JOURNAL), 30_000)
      await it.stopControlPlane()
      await it.host.powerCut()
      await cut
      expect(it.host.exists(JOURNAL)).toBe(true)
      await rm(it.host.path(slow))
      await it.host.reboot()
      expect(it.host.exists(JOURNAL)).toBe(false)
      expect([await outcomeOf(first), await outcomeOf(second)]).toEqual(['accepted', 'refused'])
    })

    test('a repair at boot that takes too long is made up for, without a source', async () => {
      // As on a machine that is busy at boot.
      const slow = '/etc/systemd/system/pomerium-host-agent-boot.service.d/slow.conf'
      await it.host.write(slow, '[Service]\nExecStartPre=/bin/sleep 30\nTimeoutStartSec=1\n')
      await it.host.powerCut()
      await rm(it.host.path(DROP_IN))
      await it.host.reboot()
      const trusts = async () => (await outcomeOf(first)) === 'accepted'
      await it.host.waitFor('the repair after boot', trusts, 30_000)
      await rm(it.host.path(slow))
    })

    test('a program that hangs or is gone keeps nobody out for long', async () => {
      await it.host.exec(`mv ${PROGRAM} /root/kept-program`)
      await it.host.write(PROGRAM, '#!/bin/sh\nsleep 1000\n', { mode: 0o755 })
      await it.host.reboot()
      expect(await outcomeOf(first)).toBe('accepted')
      await it.host.exec(`mv /root/kept-program ${PROGRAM}; systemctl reset-failed`)
    })
  })
})
