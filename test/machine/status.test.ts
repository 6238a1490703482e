import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { PrintedStatus } from '../../agent/cli/render-status.ts'
import { describeTier } from '../sshd/describe-tier.ts'
import { type Ca, makeCa } from '../sshd/ssh-ca.ts'
import type { AgentHost } from './agent-host.ts'
import { machineTier } from './available.ts'
import { suites } from './base.ts'
import { SHADOW } from './drift-kinds.ts'
import { bootInstalledHost, poll } from './installed-host.ts'

const STATUS_FILE = '/run/pomerium-host-agent/status.json'

describeTier('status and the log, on a booted host', machineTier(), () => {
  describe.each(suites)('%s', suite => {
    let it: AgentHost
    let ca: Ca
    beforeAll(async () => {
      ca = await makeCa()
      it = await bootInstalledHost({ suite })
    })
    afterAll(async () => {
      await it?.stop()
      await ca?.[Symbol.asyncDispose]()
    })

    /** As somebody who is not root, who may not read the config either. */
    const status = async () => {
      const argv = ['pomerium-host-agent', 'status', '--json']
      const { stdout } = await it.host.exec(argv, { user: 'alice', allowFail: true })
      return JSON.parse(stdout) as PrintedStatus
    }
    const verdict = async () => (await status()).code
    const screen = async (user = 'alice') =>
      (await it.host.exec(['pomerium-host-agent', 'status'], { user, allowFail: true })).stdout
    /** What the daemon logged: every line of its own is JSON. */
    const log = async () => {
      // Not by --unit, which has systemd's own lines about the unit too.
      const unit = '_SYSTEMD_UNIT=pomerium-host-agent.service'
      const { stdout } = await it.host.exec(`journalctl --boot --output cat --quiet ${unit}`)
      return stdout
        .split('\n')
        .filter(line => line !== '')
        .map(line => JSON.parse(line) as Record<string, unknown>)
    }

    test('a host on which nothing ran says so, and what to do', async () => {
      expect(await verdict()).toBe('nothing-yet')
      expect(await screen()).toMatch(/^nothing-yet: .*\n {2}run: sudo pomerium-host-agent apply\n/)
    })

    test('after a poll: who is trusted, since when, from where, and what comes next', async () => {
      await it.publish('# serial: 3', ca.publicKey)
      await poll(it)
      const report = await status()
      expect(report).toMatchObject({
        well: true,
        code: 'in-force',
        findings: [],
        trusted: [{ fingerprint: ca.fingerprint }],
        bundle: { source: 'https://localhost:8443/bundle', serial: 3 },
        effective: { value: true },
        last: { outcome: 'applied' },
        nextPoll: { by: 'timer' },
        restarts: { total: 1, due: false },
        clockSkewSeconds: 0,
      })
      expect(report.restarts?.left).toBeGreaterThan(0)
      const next = Date.parse(report.nextPoll?.at ?? '') - Date.now()
      expect(next).toBeGreaterThan(0)
      expect(next).toBeLessThan(6 * 60_000)
      expect(await screen()).toContain(ca.fingerprint)
      expect(await screen('root')).toMatch(/^in-force: sshd trusts 1 CA key\n/)
    })

    test('coloured on a terminal, and nowhere else', async () => {
      expect(await screen()).not.toContain('\u001b')
      const { stdout } = await it.host.exec(
        `TERM=xterm script -qec 'pomerium-host-agent status' /dev/null`,
      )
      expect(stdout).toContain('\u001b[32min-force')
    })

    test('the log: a line for what changed, with fields to filter by; none for a quiet poll', async () => {
      const before = await log()
      expect(before).toContainEqual(
        expect.objectContaining({
          level: 'info',
          event: 'cycle',
          hint: 'start',
          outcome: 'applied',
          serial: 3,
          fingerprints: [ca.fingerprint],
          msg: 'this host now trusts 1 CA key',
        }),
      )
      await poll(it)
      expect(await log()).toEqual(before)
    })

    test('a source that is away: the last good keys stay, and that is said', async () => {
      await it.stopControlPlane()
      await poll(it)
      expect(await status()).toMatchObject({
        well: false,
        code: 'not-followed',
        trouble: { outcome: 'source-unavailable' },
        trusted: [{ fingerprint: ca.fingerprint }],
      })
      expect(await log()).toContainEqual(
        expect.objectContaining({
          level: 'warn',
          outcome: 'source-unavailable',
          code: 'unreachable',
        }),
      )
      await it.startControlPlane()
      await poll(it)
      expect(await verdict()).toBe('in-force')
    })

    test('shadowed: sshd does not go by these keys, and by which file and line', async () => {
      await it.host.write(SHADOW.path, SHADOW.content)
      await it.host.waitFor('the report', async () => (await verdict()) === 'not-in-force')
      expect(await screen()).toContain(`${SHADOW.path}:1`)
      await it.host.exec(`rm ${SHADOW.path}`)
      await it.host.waitFor('the end of it', async () => (await verdict()) === 'in-force')
    })

    test('a status file that is garbled is said to be, and the next turn writes it anew', async () => {
      await it.host.write(STATUS_FILE, '{"version":1,')
      expect(await verdict()).toBe('status-damaged')
      expect((await it.agent('repair')).code).toBe(0)
      expect(await verdict()).toBe('in-force')
      expect((await it.host.stat(STATUS_FILE)).mode).toBe('0644')
    })

    test('no timer: nobody will look again, and how to change that', async () => {
      await it.host.exec('systemctl stop pomerium-host-agent.timer')
      expect(await screen()).toContain('next poll  none; start it: sudo systemctl enable --now')
      await it.host.exec('systemctl start pomerium-host-agent.timer')
    })

    test('after a boot, until somebody has looked', async () => {
      await it.host.exec('systemctl disable --quiet pomerium-host-agent.timer')
      await it.host.reboot()
      expect((await status()).findings.map(({ code }) => code)).toEqual([
        'agent-stopped',
        'not-since-boot',
      ])
    })
  })
})
