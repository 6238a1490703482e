import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { describeTier } from '../../sshd/describe-tier.ts'
import { type Ca, makeCa } from '../../sshd/ssh-ca.ts'
import { machineTier } from '../harness/available.ts'
import { suites } from '../harness/base.ts'
import type { Entry } from '../harness/host-files.ts'
import { login } from '../harness/login.ts'
import { type AgentHost, bootAgentHost, CA_FILE, DROP_IN } from '../hosts/agent-host.ts'

describeTier('apply, on a booted host', machineTier(), () => {
  // One story a host: each test goes on where the one before it ended.
  describe.each(suites)('%s', suite => {
    let it: AgentHost
    let first: Ca
    let second: Ca
    let before: Record<string, Entry>

    beforeAll(async () => {
      ;[first, second, it] = await Promise.all([
        makeCa('ed25519', 'first'),
        makeCa('rsa', 'second'),
        bootAgentHost({ suite }),
      ])
      before = await it.host.snapshot('/etc/ssh')
    })
    afterAll(async () => {
      await it?.stop()
      await first?.[Symbol.asyncDispose]()
      await second?.[Symbol.asyncDispose]()
    })
    const outcomeOf = async (ca: Ca) => (await login(it.host, { ca })).outcome

    test('plan says what apply then does, on a fresh host', async () => {
      await it.publish(first.publicKey)
      const plan = await it.agent('plan', '--json')
      expect(plan.code).toBe(10)
      expect(await it.host.snapshot('/etc/ssh')).toEqual(before)
      const { code, outcome } = await it.apply()
      expect({ code, outcome: outcome.outcome }).toEqual({ code: 0, outcome: 'applied' })
      expect(outcome.steps).toEqual(JSON.parse(plan.stdout).steps)
      expect(outcome.steps.map(step => step.do)).toContain('restart-sshd')
    })

    test('a certificate of the published CA logs in, one of another does not', async () => {
      expect(await outcomeOf(first)).toBe('accepted')
      expect(await outcomeOf(second)).toBe('refused')
    })

    test('both files are root’s, mode 600, and sshd names ours', async () => {
      for (const path of [CA_FILE, DROP_IN]) {
        expect(await it.host.stat(path)).toMatchObject({ uid: 0, gid: 0, mode: '0600' })
      }
      expect(await it.host.stat('/var/lib/pomerium')).toMatchObject({ uid: 0, mode: '0755' })
      const effective = await it.host.exec('sshd -T -C user=alice,host=h,addr=192.0.2.9')
      expect(effective.stdout.toLowerCase()).toContain(`trustedusercakeys ${CA_FILE}\n`)
      expect(await it.host.read(CA_FILE)).toBe(`${first.publicKey}\n`)
    })

    test('a host without daemon says when its source last gave something', async () => {
      const { stdout } = await it.host.exec(['pomerium-host-agent', 'status', '--json'])
      const age = Date.now() - Date.parse(JSON.parse(stdout).lastSuccess)
      expect(age).toBeGreaterThanOrEqual(0)
      expect(age).toBeLessThan(60_000)
    })

    test('a second apply touches nothing', async () => {
      const untouched = await it.fingerprint()
      expect((await it.agent('plan')).code).toBe(0)
      const { code, outcome } = await it.apply()
      expect(code).toBe(0)
      expect(outcome).toMatchObject({ outcome: 'unchanged', steps: [] })
      expect(await it.fingerprint()).toEqual(untouched)
    })

    test.each([
      ['mode', 'chmod 644', 'mode 0644, not 0600'],
      ['owner', 'chown nobody', 'owner 65534:0, not 0:0'],
    ])('plan says what apply then does, on a drifted %s', async (_, command, why) => {
      const restarted = await it.host.unitProperties('ssh.service', ['MainPID'])
      await it.host.exec(`${command} ${CA_FILE}`)
      const plan = await it.agent('plan', '--json')
      expect(plan.code).toBe(10)
      const { outcome } = await it.apply()
      expect(outcome.steps).toEqual(JSON.parse(plan.stdout).steps)
      expect(outcome.steps[0]).toMatchObject({ do: 'write-file', path: CA_FILE, why })
      expect(await it.host.stat(CA_FILE)).toMatchObject({ uid: 0, gid: 0, mode: '0600' })
      expect(await it.host.unitProperties('ssh.service', ['MainPID'])).toEqual(restarted)
    })

    test('a user who is not root is told what could not be seen', async () => {
      await it.host.exec('chmod 644 /etc/pomerium/host-agent.yaml')
      const plan = await it.host.exec(['pomerium-host-agent', 'plan', '--json'], {
        user: 'alice',
        allowFail: true,
      })
      const unseen = (JSON.parse(plan.stdout).unseen as { what: string }[]).map(({ what }) => what)
      expect(unseen).toEqual(expect.arrayContaining([CA_FILE, DROP_IN]))
      expect(plan.code).toBe(10)
      const status = await it.host.exec(['pomerium-host-agent', 'status'], { user: 'alice' })
      expect(status.stdout).toContain(first.fingerprint)
    })

    test('a rotation in two steps: both, then the new one only', async () => {
      await it.publish(first.publicKey, second.publicKey)
      const plan = await it.agent('plan', '--json')
      const both = await it.apply()
      expect(both.outcome.steps).toEqual(JSON.parse(plan.stdout).steps)
      expect(both.outcome).toMatchObject({ outcome: 'applied', trusted: { length: 2 } })
      expect([await outcomeOf(first), await outcomeOf(second)]).toEqual(['accepted', 'accepted'])
      await it.publish(second.publicKey)
      expect((await it.apply()).outcome).toMatchObject({
        outcome: 'applied',
        trusted: [{ type: 'ssh-rsa', fingerprint: second.fingerprint, comment: 'second' }],
        service: { unit: 'ssh.service', action: 'restarted' },
      })
      expect([await outcomeOf(first), await outcomeOf(second)]).toEqual(['refused', 'accepted'])
    })

    test('losing the control plane changes nothing', async () => {
      const untouched = await it.fingerprint()
      await it.stopControlPlane()
      const { code, outcome } = await it.apply()
      expect({ code, outcome: outcome.outcome }).toEqual({ code: 3, outcome: 'source-unavailable' })
      expect(outcome.trusted).toMatchObject([{ fingerprint: second.fingerprint }])
      expect(await outcomeOf(second)).toBe('accepted')
      await it.startControlPlane()
      expect(await it.apply()).toMatchObject({ code: 0, outcome: { outcome: 'unchanged' } })
      expect(await it.fingerprint()).toMatchObject({ unit: (untouched as { unit: object }).unit })
    })

    test('remove leaves /etc/ssh as it was, and sshd answers', async () => {
      expect((await it.agent('remove', '--json')).code).toBe(0)
      expect(await it.host.snapshot('/etc/ssh')).toEqual(before)
      expect(it.host.exists('/var/lib/pomerium')).toBe(false)
      expect(await outcomeOf(second)).toBe('refused')
      expect(await it.agent('remove', '--json')).toMatchObject({ code: 0 })
    })
  })
})
