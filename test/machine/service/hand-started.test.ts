import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { describeTier } from '../../sshd/describe-tier.ts'
import { type Ca, makeCa } from '../../sshd/ssh-ca.ts'
import { machineTier } from '../harness/available.ts'
import { login } from '../harness/login.ts'
import { CA_FILE } from '../hosts/agent-host.ts'
import { DRIFT, expectRepaired, expectShadowReported, REWRITE_LOOP } from '../hosts/drift-kinds.ts'
import { INITS } from '../hosts/inits.ts'
import { bootHandStarted, type HandStarted } from '../hosts/resident-host.ts'

const SOCKET = '/run/pomerium-host-agent/provisioner.sock'

describeTier('both wings started by hand, without systemd', machineTier(), () => {
  describe.each(INITS)('$init', ({ init, packages }) => {
    let it: HandStarted
    let first: Ca
    let second: Ca
    beforeAll(async () => {
      ;[first, second] = await Promise.all([makeCa(), makeCa()])
      it = await bootHandStarted({ suite: 'bookworm', packages, init: ['/sbin/init'] })
      await it.publish(first.publicKey)
    })
    afterAll(async () => {
      await it?.stop()
      await first?.[Symbol.asyncDispose]()
      await second?.[Symbol.asyncDispose]()
    })
    const outcomeOf = async (ca: Ca) => (await login(it.host, { ca })).outcome
    const inForce = (ca: Ca) => async () => (await outcomeOf(ca)) === 'accepted'

    test('the socket is as systemd would make it, and its folder', async () => {
      const access = async (path: string) =>
        (await it.host.exec(['stat', '-c', '%a %U:%G', path])).stdout.trim()
      expect(await access(SOCKET)).toBe('660 root:pomerium-host-agent')
      expect(await access('/run/pomerium-host-agent')).toBe('755 root:root')
      const own = 'pomerium-host-agent:pomerium-host-agent'
      expect(await access('/var/lib/pomerium-host-agent-daemon')).toBe(`755 ${own}`)
      await expect(it.host.exec(['pomerium-host-agent', 'provision'])).rejects.toThrow(
        /somebody listens/,
      )
    })

    test('a rotation is followed, by the unprivileged one through the other', async () => {
      await it.host.waitFor('the first CA', inForce(first), 20_000)
      await it.publish(second.publicKey)
      const alone = async () =>
        (await outcomeOf(second)) === 'accepted' && (await outcomeOf(first)) === 'refused'
      await it.host.waitFor('the second CA', alone, 20_000)
    })

    test('a restarted sshd hands its sessions no umask of ours', async () => {
      const { stdout } = await login(it.host, { ca: second, command: 'umask' })
      expect(stdout.trim()).toBe('0022')
    })

    test('a drop-in that shadows ours is reported, file and line', async () => {
      await expectShadowReported(it.host, inForce(second))
    })

    test.each(DRIFT)('drift is repaired within 10 s: %s', async (_, command) => {
      await expectRepaired(it.host, command, inForce(second))
    })

    test('a provisioner that was killed is replaced by the next, whose socket is its own', async () => {
      it.provisioner.kill()
      await it.provisioner.done
      expect(it.host.exists(SOCKET)).toBe(true)
      await it.startProvisioner()
      await it.host.exec(`rm ${CA_FILE}`)
      await it.host.waitFor('the repair', inForce(second), 20_000)
    })

    if (init === 'sysvinit')
      test('a program that keeps rewriting our file does not make us loop, and is reported', async () => {
        const loop = it.host.spawn(REWRITE_LOOP)
        await it.host.waitFor('the report', () => it.told('keeps changing') > 0, 40_000)
        const before = it.told('keeps changing')
        await sleep(10_000)
        // It waits a minute each time, however often the file changes meanwhile.
        expect(it.told('keeps changing') - before).toBeLessThanOrEqual(1)
        loop.kill()
      })

    test('told to leave, both leave at once, and the socket goes', async () => {
      const start = performance.now()
      expect(await it.terminate('run')).toBe(0)
      expect(await it.terminate('provision')).toBe(0)
      expect(performance.now() - start).toBeLessThan(3_000)
      expect(it.host.exists(SOCKET)).toBe(false)
    })
  })
})
