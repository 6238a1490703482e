import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { describeTier } from '../../sshd/describe-tier.ts'
import { type Ca, makeCa } from '../../sshd/ssh-ca.ts'
import { machineTier } from '../harness/available.ts'
import { login } from '../harness/login.ts'
import { suitesFor } from '../harness/share.ts'
import { CA_FILE, DROP_IN } from '../hosts/agent-host.ts'
import { bootProvisionerHost, type ProvisionerHost } from '../hosts/provisioner-host.ts'

const UNIT = '/etc/systemd/system/ssh.service.d/broken.conf'

describeTier('a restart that fails', machineTier(), () => {
  describe.each(suitesFor({ slice: ['bookworm'] }))('%s', suite => {
    let it: ProvisionerHost
    let first: Ca
    let second: Ca
    beforeEach(async () => {
      ;[first, second, it] = await Promise.all([
        makeCa('ed25519', 'first'),
        makeCa('ed25519', 'second'),
        bootProvisionerHost({ suite }),
      ])
    })
    afterEach(async () => {
      await it?.[Symbol.asyncDispose]()
      await first?.[Symbol.asyncDispose]()
      await second?.[Symbol.asyncDispose]()
    })
    const outcomeOf = async (ca: Ca) => (await login(it.host, { ca })).outcome
    /** The unit fails to start where this shell test fails. */
    const startsOnlyWhere = async (condition: string) => {
      await it.host.write(UNIT, `[Service]\nExecStartPre=/bin/sh -c '${condition}'\nRestart=no\n`)
      await it.host.exec('systemctl daemon-reload')
    }
    const mend = () => it.host.exec(`rm ${UNIT}; systemctl daemon-reload`)
    const kept = async () => ({
      ssh: await it.host.snapshot('/etc/ssh'),
      ca: await it.host.snapshot('/var/lib/pomerium'),
    })
    const isUp = async () => {
      const unit = await it.host.unitProperties('ssh.service', ['ActiveState'])
      expect(unit).toEqual({ ActiveState: 'active' })
      expect(await it.answers()).toBeLessThan(1_000)
    }

    test('a rotation is rolled back to the old trust', async () => {
      expect((await it.apply(first.publicKey)).code).toBe(0)
      const before = await kept()
      const [, blob = ''] = second.publicKey.split(' ')
      await startsOnlyWhere(`! grep -qF ${blob} ${CA_FILE}`)
      const { code, outcome } = await it.apply(second.publicKey)
      expect({ code, outcome: outcome.outcome }).toEqual({ code: 6, outcome: 'rolled-back' })
      expect(outcome.message).toMatch(/restart ssh\.service/)
      expect(outcome.trusted).toMatchObject([{ fingerprint: first.fingerprint }])
      await isUp()
      expect(await kept()).toEqual(before)
      expect([await outcomeOf(first), await outcomeOf(second)]).toEqual(['accepted', 'refused'])
      expect(await it.litter()).toEqual([])
      await mend()
      expect((await it.apply(second.publicKey)).outcome.outcome).toBe('applied')
      expect([await outcomeOf(first), await outcomeOf(second)]).toEqual(['refused', 'accepted'])
    })

    test('a first apply is rolled back to the host as it was', async () => {
      const before = await kept()
      await startsOnlyWhere(`! test -e ${DROP_IN}`)
      const { code, outcome } = await it.apply(first.publicKey)
      expect({ code, outcome: outcome.outcome }).toEqual({ code: 6, outcome: 'rolled-back' })
      await isUp()
      expect(await kept()).toEqual(before)
      expect(await outcomeOf(first)).toBe('refused')
      expect(await it.litter()).toEqual([])
    })

    test('remove is rolled back too', async () => {
      expect((await it.apply(first.publicKey)).code).toBe(0)
      const before = await kept()
      await startsOnlyWhere(`test -e ${DROP_IN}`)
      expect((await it.agent('remove', '--json')).code).toBe(6)
      await isUp()
      expect(await kept()).toEqual(before)
      expect(await outcomeOf(first)).toBe('accepted')
    })

    test('where sshd starts no more at all, both errors are told, and the next apply mends it', async () => {
      expect((await it.apply(first.publicKey)).code).toBe(0)
      const before = await kept()
      await startsOnlyWhere('echo no sshd today; false')
      const { code, outcome } = await it.apply(second.publicKey)
      expect({ code, outcome: outcome.outcome }).toEqual({ code: 7, outcome: 'rollback-failed' })
      expect(outcome.message).toMatch(
        /restart ssh\.service.*undoing it failed too.*restart ssh\.service/s,
      )
      expect(await kept()).toEqual(before)
      expect(await it.litter()).toEqual(['/var/lib/pomerium-host-agent/journal.json'])
      const { stdout } = await it.agent('status', '--json')
      expect(JSON.parse(stdout)).toMatchObject({
        ...{ well: false, code: 'sshd-down' },
        findings: expect.arrayContaining([expect.objectContaining({ code: 'person-needed' })]),
      })
      // As long as nothing is mended, it is tried again, and said again.
      expect((await it.apply(second.publicKey)).code).toBe(7)
      await mend()
      expect((await it.apply(second.publicKey)).outcome.outcome).toBe('applied')
      await isUp()
      expect([await outcomeOf(first), await outcomeOf(second)]).toEqual(['refused', 'accepted'])
      expect(await it.litter()).toEqual([])
    })
  })
})
