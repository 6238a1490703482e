import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { SERVICE } from '../../../agent/core/services/unit-drop-ins.ts'
import { describeTier } from '../../sshd/describe-tier.ts'
import { type Ca, makeCa } from '../../sshd/ssh-ca.ts'
import { machineTier } from '../harness/available.ts'
import { login } from '../harness/login.ts'
import { suitesFor } from '../harness/share.ts'
import type { AgentHost } from '../hosts/agent-host.ts'
import { DRIFT, expectNoLoop, expectRepaired, expectShadowReported } from '../hosts/drift-kinds.ts'
import { bootResidentHost } from '../hosts/resident-host.ts'

describeTier('resident, on a booted host', machineTier(), () => {
  describe.each(suitesFor({ slice: ['bullseye'] }))('%s', suite => {
    let it: AgentHost
    let first: Ca
    let second: Ca
    beforeAll(async () => {
      ;[first, second] = await Promise.all([makeCa(), makeCa()])
      it = await bootResidentHost({ suite })
      await it.publish(first.publicKey)
      await it.host.waitFor('the first CA', inForce(first))
    })
    afterAll(async () => {
      await it?.stop()
      await first?.[Symbol.asyncDispose]()
      await second?.[Symbol.asyncDispose]()
    })
    const outcomeOf = async (ca: Ca) => (await login(it.host, { ca })).outcome
    const inForce = (ca: Ca) => async () => (await outcomeOf(ca)) === 'accepted'
    const reset = 'rm -f /var/lib/pomerium-host-agent/restarts.json; systemctl reset-failed ssh'

    // So that no test pays for the restarts of the one before it.
    beforeEach(() => it.host.exec(reset, { allowFail: true }))

    test('what is published is in force within two seconds, by a held request', async () => {
      for (const ca of [second, first]) {
        await held()
        await it.publish(ca.publicKey)
        await it.host.waitFor('the published CA', inForce(ca), 2_000)
      }
      // Not a moment at which sshd is being restarted for it.
      const refused = async () => (await outcomeOf(second)) === 'refused'
      await it.host.waitFor('the end of the other', refused)
    })

    // A connection to the control plane that stays open is a request that is held.
    const held = () =>
      it.host.waitFor('a held request', async () => {
        const peers = async () =>
          (await it.host.exec('ss -Htn state established dport = :8443')).stdout
        const before = await peers()
        await sleep(300)
        return before !== '' && before === (await peers())
      })

    test('status says that the request is held, and for how long at most', async () => {
      await held()
      const argv = ['pomerium-host-agent', 'status']
      const { stdout } = await it.host.exec(argv, { user: 'alice' })
      expect(stdout).toMatch(
        /^next poll {2}held at the source \(long poll\); in \d+ s at the latest$/m,
      )
    })

    test('a drop-in that shadows ours is reported, file and line', async () => {
      await expectShadowReported(it.host, inForce(first))
    })

    test.each(DRIFT)('drift is repaired within 10 s: %s', async (_, command) => {
      await expectRepaired(it.host, command, inForce(first))
    })

    test('boot without a control plane: yesterday’s trust works, and it recovers by itself', async () => {
      await it.stopControlPlane()
      await it.host.reboot()
      await it.host.waitFor('a login', inForce(first))
      const tried = async () => (await it.host.journal(SERVICE)).includes('source-unavailable')
      // By itself, and without a timer: boot starts what stays.
      await it.host.waitFor('a failed look', tried, 10_000)
      const timer = await it.host.unitProperties('pomerium-host-agent.timer', ['ActiveState'])
      expect(timer.ActiveState).toBe('inactive')
      expect(await outcomeOf(first)).toBe('accepted')
      await it.publish(second.publicKey)
      await it.startControlPlane()
      const inForceAlone = async () =>
        (await outcomeOf(second)) === 'accepted' && (await outcomeOf(first)) === 'refused'
      await it.host.waitFor('the new CA', inForceAlone, 15_000)
    })

    test('a held request does not hold up the end', async () => {
      await held()
      const start = performance.now()
      await it.host.exec(`systemctl stop ${SERVICE}`)
      expect(performance.now() - start).toBeLessThan(1_000)
      const { Result } = await it.host.unitProperties(SERVICE, ['Result'])
      expect(Result).toBe('success')
      await it.host.exec(`systemctl start ${SERVICE}`)
    })

    test('a program that keeps rewriting our file does not make us loop, and is reported', async () => {
      await expectNoLoop(it.host)
    })
  })
})
