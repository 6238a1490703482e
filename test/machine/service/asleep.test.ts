import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { newKeyLine } from '../../ssh-keys.ts'
import { describeTier } from '../../sshd/describe-tier.ts'
import { type Ca, makeCa } from '../../sshd/ssh-ca.ts'
import { machineTier } from '../harness/available.ts'
import { login } from '../harness/login.ts'
import { suitesFor } from '../harness/share.ts'
import { type AgentHost, DROP_IN, REVOKED } from '../hosts/agent-host.ts'
import {
  DRIFT,
  expectNoLoop,
  expectRepaired,
  expectShadowReported,
  LIST_DRIFT,
} from '../hosts/drift-kinds.ts'
import { bootInstalledHost, ourProcesses, poll } from '../hosts/installed-host.ts'

describeTier('asleep, on a booted host', machineTier(), () => {
  describe.each(suitesFor({ slice: ['trixie'] }))('%s', suite => {
    let it: AgentHost
    let first: Ca
    let second: Ca
    beforeAll(async () => {
      ;[first, second] = await Promise.all([makeCa(), makeCa()])
      it = await bootInstalledHost({ suite })
      await it.publish(first.publicKey)
    })
    afterAll(async () => {
      await it?.stop()
      await first?.[Symbol.asyncDispose]()
      await second?.[Symbol.asyncDispose]()
    })
    const outcomeOf = async (ca: Ca) => (await login(it.host, { ca })).outcome
    const looks = async () =>
      (await it.host.journal('pomerium-host-agent-repair.service')).match(/ Starting /g)?.length ??
      0
    const asleep = () =>
      it.host.waitFor('sleep', async () => (await ourProcesses(it)).length === 0, 90_000)

    // So that no test pays for the restarts of the one before it.
    beforeEach(() =>
      it.host.exec('rm -f /var/lib/pomerium-host-agent/restarts.json; systemctl reset-failed ssh', {
        allowFail: true,
      }),
    )

    test('a poll puts the published CA in force, through both wings', async () => {
      await poll(it)
      await it.host.waitFor('the CA', async () => (await outcomeOf(first)) === 'accepted')
      expect(await outcomeOf(second)).toBe('refused')
      const { Result } = await it.host.unitProperties('pomerium-host-agent.service', ['Result'])
      expect(Result).toBe('success')
    })

    test('a drop-in that shadows ours is reported, file and line', async () => {
      await expectShadowReported(it.host, async () => (await outcomeOf(first)) === 'accepted')
    })

    test.each(DRIFT)('drift is repaired within 10 s: %s', async (_, command) => {
      await expectRepaired(it.host, command, async () => (await outcomeOf(first)) === 'accepted')
    })

    describe('the list of revoked keys', () => {
      beforeAll(async () => {
        await it.publish(first.publicKey, `@revoked ${newKeyLine('ed25519')}`)
        await poll(it)
        expect(it.host.exists(REVOKED)).toBe(true)
      })
      afterAll(async () => {
        await it.publish(first.publicKey)
        await poll(it)
      })

      test.each(LIST_DRIFT)('drift is repaired within 10 s: %s', async (_, command) => {
        await expectRepaired(it.host, command, async () => (await outcomeOf(first)) === 'accepted')
      })
    })

    test('the wings can not do what is the other’s', async () => {
      // The unit itself, with another program in it, while nothing else starts it.
      const paths = 'pomerium-host-agent-watch.path pomerium-host-agent-repair.path'
      await it.host.exec(`systemctl stop ${paths}`)
      await it.host.waitFor('rest', async () => {
        const unit = 'pomerium-host-agent-repair.service'
        const { ActiveState } = await it.host.unitProperties(unit, ['ActiveState'])
        return ActiveState === 'inactive'
      })
      const tryIn = async (unit: string, script: string) => {
        const folder = `/run/systemd/system/${unit}.d`
        const service = `[Service]\nType=oneshot\nExecStartPre=\nExecStart=\nExecStart=/bin/bash -c "${script}"\n`
        await it.host.write(`${folder}/try.conf`, service)
        await it.host.exec('systemctl daemon-reload')
        const { code } = await it.host.exec(['systemctl', 'start', unit], { allowFail: true })
        await it.host.exec(
          `rm -r ${folder}; systemctl daemon-reload; systemctl reset-failed ${unit}`,
        )
        return { code }
      }
      const writes = await tryIn(
        'pomerium-host-agent.service',
        'touch /etc/ssh/sshd_config.d/x.conf',
      )
      expect(writes.code).not.toBe(0)
      const connects = 'exec 3<>/dev/tcp/127.0.0.1/22'
      const opens = await tryIn('pomerium-host-agent-repair.service', connects)
      expect(opens.code).not.toBe(0)
      // And the test can tell: in the other wing each works.
      expect((await tryIn('pomerium-host-agent.service', connects)).code).toBe(0)
      const touch = 'touch /etc/ssh/tried && rm /etc/ssh/tried'
      expect((await tryIn('pomerium-host-agent-repair.service', touch)).code).toBe(0)
      await it.host.exec(`systemctl start ${paths}`)
    })

    test('boot without a control plane: yesterday’s trust works, and it recovers by itself', async () => {
      await it.stopControlPlane()
      await it.host.reboot()
      await it.host.waitFor('a login', async () => (await outcomeOf(first)) === 'accepted')
      await poll(it)
      expect(await outcomeOf(first)).toBe('accepted')
      await it.publish(second.publicKey)
      await it.startControlPlane()
      await poll(it)
      // Not a moment at which sshd is being restarted for it.
      const inForce = async () =>
        (await outcomeOf(second)) === 'accepted' && (await outcomeOf(first)) === 'refused'
      await it.host.waitFor('the new CA', inForce)
    })

    test('between rotations nothing of ours is in memory', async () => {
      await asleep()
    })

    test('a repair that has to be undone does not make us loop, and the next one mends it', async () => {
      const broken = '/etc/systemd/system/ssh.service.d/broken.conf'
      const fails = `[Service]\nExecStartPre=/bin/sh -c '! test -e ${DROP_IN}'\nRestart=no\n`
      await it.host.write(broken, fails)
      await it.host.exec(`systemctl daemon-reload; rm ${DROP_IN}`)
      const undone = async () =>
        (await it.host.exec('cat /run/pomerium-host-agent/status.json')).stdout.includes(
          '"outcome": "rolled-back"',
        )
      await it.host.waitFor('the rollback', undone, 40_000)
      const before = await looks()
      await new Promise(resolve => setTimeout(resolve, 10_000))
      expect((await looks()) - before).toBeLessThanOrEqual(1)
      expect(await it.host.unitProperties('ssh.service', ['ActiveState'])).toEqual({
        ActiveState: 'active',
      })
      await it.host.exec(`rm ${broken}; systemctl daemon-reload`)
      await it.host.exec('systemctl stop pomerium-host-agent-repair.service')
      await it.host.exec('systemctl start pomerium-host-agent-repair.service')
      await it.host.waitFor('the repair', async () => (await outcomeOf(second)) === 'accepted')
    })

    test('a program that keeps rewriting our file does not make us loop, and is reported', async () => {
      await expectNoLoop(it.host)
    })

    test('systemd-analyze security: at most 1.3 each', async () => {
      for (const unit of ['', '-webhook', '-provisioner', '-repair', '-boot']) {
        const { stdout } = await it.host.exec(
          `systemd-analyze security --no-pager pomerium-host-agent${unit}.service | tail -1`,
        )
        expect(Number(/: ([\d.]+) /.exec(stdout)?.[1])).toBeLessThanOrEqual(1.3)
      }
    })
  })
})
