import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { PrintedStatus } from '../../../agent/cli/host/render-status.ts'
import { describeTier } from '../../sshd/describe-tier.ts'
import { type Ca, makeCa } from '../../sshd/ssh-ca.ts'
import { machineTier } from '../harness/available.ts'
import { login } from '../harness/login.ts'
import { suitesFor } from '../harness/share.ts'
import { type AgentHost, CA_FILE } from '../hosts/agent-host.ts'
import { SHADOW } from '../hosts/drift-kinds.ts'
import { bootInstalledHost, poll } from '../hosts/installed-host.ts'

// Nobody but the test looks at the host, nor at its source.
const QUIET =
  'systemctl stop pomerium-host-agent.timer pomerium-host-agent.service pomerium-host-agent-watch.path pomerium-host-agent-watch.timer pomerium-host-agent-repair.path pomerium-host-agent-repair.service; rm -f /run/pomerium-host-agent/drift; systemctl reset-failed; true'
const WATCHES =
  'pomerium-host-agent.timer pomerium-host-agent-watch.path pomerium-host-agent-repair.path'
const STATUS_FILE = '/run/pomerium-host-agent/status.json'

describeTier('status and the log, on a booted host', machineTier(), () => {
  describe.each(suitesFor({ slice: ['bullseye'] }))('%s', suite => {
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

    test('whoever reads us may leave before the end: no trace, and the exit code of what was done', async () => {
      const shell = (line: string) => it.host.exec(['bash', '-c', line], { allowFail: true })
      for (const [line, code] of [
        ['pomerium-host-agent status | head -1', 0],
        ['pomerium-host-agent status --json | head -c 10', 0],
        ['pomerium-host-agent plan | true', 0],
        ['pomerium-host-agent apply --json 2>&1 | true', 0],
        ['pomerium-host-agent status >&- 2>&-', 0],
        // Usage: what would be said has nobody to hear it.
        ['pomerium-host-agent nothing 2> >(true)', 2],
      ] as const) {
        const ran = await shell(`${line}; code=\${PIPESTATUS[0]}; echo; echo $code`)
        expect({ line, code: Number(ran.stdout.trim().split('\n').at(-1)) }).toEqual({ line, code })
        expect({ line, stderr: ran.stderr }).toEqual({ line, stderr: '' })
      }
      const full = await shell('pomerium-host-agent status >/dev/full')
      expect(full).toMatchObject({
        code: 2,
        stderr: expect.stringMatching(
          /^pomerium-host-agent: standard output can't be written: ENOSPC.*\n$/,
        ),
      })
    })

    test('plan and apply say key by key what comes and what goes, in 80 columns', async () => {
      await using next = await makeCa('ed25519', 'a comment of many words '.repeat(6).trim())
      await it.host.exec(QUIET)
      await it.publish('# serial: 4', next.publicKey)
      const plan = await it.agent('plan')
      const json = JSON.parse((await it.agent('plan', '--json')).stdout)
      const apply = await it.agent('apply')
      for (const { stdout } of [plan, apply]) {
        expect(stdout).toContain(`  + ${next.fingerprint} a comment of many`)
        expect(stdout).toContain(`\n  − ${ca.fingerprint}`)
        expect(stdout.split('\n').filter(line => line.length > 80)).toEqual([])
      }
      await it.publish('# serial: 5', ca.publicKey)
      const { outcome } = await it.apply()
      const fingerprints = (keys: { fingerprint: string }[]) => keys.map(each => each.fingerprint)
      expect(fingerprints(json.keys.added)).toEqual([next.fingerprint])
      expect(fingerprints(json.keys.removed)).toEqual([ca.fingerprint])
      expect(fingerprints(outcome.keys?.added ?? [])).toEqual([ca.fingerprint])
      expect(fingerprints(outcome.keys?.removed ?? [])).toEqual([next.fingerprint])
      await it.host.exec(`systemctl start ${WATCHES}`)
    })

    test('a person’s apply goes on where a repair has given up, plan says the same, both warn', async () => {
      const spoil = () => it.host.exec(`chmod 644 ${CA_FILE}`)
      await it.host.exec(QUIET)
      let code = 0
      for (let n = 0; n < 6 && code === 0; n++) {
        await spoil()
        code = (await it.agent('repair')).code
      }
      expect(code).toBe(5)
      const root = await it.agent('status', '--json')
      expect(JSON.parse(root.stdout)).toMatchObject({ well: false, code: 'contested' })
      expect(await verdict()).toBe('contested')
      const plan = JSON.parse((await it.agent('plan', '--json')).stdout)
      expect(plan).toMatchObject({
        changes: true,
        warnings: [expect.stringContaining(`somebody keeps changing ${CA_FILE}`)],
      })
      const applied = await it.apply()
      expect(applied).toMatchObject({
        code: 0,
        outcome: { outcome: 'applied', steps: plan.steps, warnings: plan.warnings },
      })
      expect((await it.host.stat(CA_FILE)).mode).toBe('0600')
      await it.host.exec('rm /var/lib/pomerium-host-agent/state.json')
      expect((await it.apply()).code).toBe(0)
      await it.host.exec(`systemctl start ${WATCHES}`)
    })

    test('a read-only disk is told, and is not “not in force” while the keys log in', async () => {
      // A root wing that is up has mounts of its own, in which a remount is not seen.
      await it.host.exec(`${QUIET}; systemctl stop pomerium-host-agent-provisioner.service`)
      await it.host.exec('mount --bind /var/lib/pomerium /var/lib/pomerium')
      await it.host.exec('mount -o remount,bind,ro /var/lib/pomerium')
      await using next = await makeCa()
      await it.publish('# serial: 6', next.publicKey)
      const { outcome } = await it.apply()
      const trusted = (await login(it.host, { ca })).outcome
      const report = await status()
      await it.host.exec('umount /var/lib/pomerium')
      expect(outcome).toMatchObject({ outcome: 'host-refused', code: 'read-only' })
      expect(trusted).toBe('accepted')
      expect(report).toMatchObject({
        ...{ well: false, effective: { value: true }, trouble: { code: 'read-only' } },
        findings: expect.arrayContaining([expect.objectContaining({ code: 'not-followed' })]),
      })
      expect(report.findings.map(({ code }) => code)).not.toContain('not-in-force')
      await it.publish('# serial: 7', ca.publicKey)
      expect((await it.apply()).code).toBe(0)
      await it.host.exec(`systemctl start ${WATCHES}`)
    })

    test('a bundle that expires in force is kept, and said to have expired', async () => {
      const tomorrow = new Date(Date.now() + 86_400_000).toISOString()
      await it.publish('# serial: 8', `# expires: ${tomorrow}`, ca.publicKey)
      expect((await it.apply()).code).toBe(0)
      await it.host.exec(QUIET)
      expect((await status()).findings.map(({ code }) => code)).not.toContain('expired')
      // As if it were the day after.
      await it.host.exec(`sed -i 's/"expires": "20../"expires": "2019/' ${STATUS_FILE}`)
      expect((await status()).findings.map(({ code }) => code)).toContain('expired')
      expect((await login(it.host, { ca })).outcome).toBe('accepted')
      await it.publish('# serial: 9', ca.publicKey)
      expect((await it.apply()).code).toBe(0)
      await it.host.exec(`systemctl start ${WATCHES}`)
      expect(await verdict()).toBe('in-force')
    })

    test('a full disk is told with the step and the path', async () => {
      await it.host.exec(QUIET)
      const keys = await it.host.read(CA_FILE)
      await it.host.exec('mount -t tmpfs -o size=4k,mode=755 tmpfs /var/lib/pomerium')
      await it.host.exec('dd if=/dev/zero of=/var/lib/pomerium/full bs=4k count=1 status=none')
      const { outcome } = await it.apply()
      await it.host.exec('umount /var/lib/pomerium')
      expect(outcome.outcome).toBe('rolled-back')
      expect(outcome.message).toContain(`could not write ${CA_FILE}: ENOSPC`)
      expect(await it.host.read(CA_FILE)).toBe(keys)
      expect((await it.apply()).code).toBe(0)
      await it.host.exec(`systemctl start ${WATCHES}`)
    })

    test('a repair is a line of JSON in the journal, as all else', async () => {
      const unit = '_SYSTEMD_UNIT=pomerium-host-agent-repair.service'
      const lines = async () => {
        const { stdout } = await it.host.exec(`journalctl --boot --output cat --quiet ${unit}`)
        return stdout.split('\n').filter(line => line !== '')
      }
      // A poll that is at it would put it right before the repair does.
      await it.host.exec(
        `${QUIET}; systemctl start ${WATCHES.replace('pomerium-host-agent.timer', '')}`,
      )
      const before = (await lines()).length
      await it.host.exec(`chmod 640 ${CA_FILE}`)
      await it.host.waitFor('the line', async () => (await lines()).length > before, 30_000)
      for (const line of await lines()) expect(JSON.parse(line)).toMatchObject({ event: 'repair' })
      expect(JSON.parse((await lines()).at(-1) ?? '')).toMatchObject({
        ...{ level: 'info', outcome: 'applied', fingerprints: [ca.fingerprint] },
      })
      await it.host.exec('systemctl start pomerium-host-agent.timer')
    })

    test('this systemd knows every line of our units', async () => {
      const verify = 'systemd-analyze verify /etc/systemd/system/pomerium-host-agent*.*[^d]'
      const { stdout, stderr } = await it.host.exec(`${verify}; true`)
      const journal = await it.host.journal()
      const told = [stdout, stderr, journal].join('\n').split('\n')
      expect(
        told.filter(line => /pomerium.*(unknown|ignoring|failed to parse)/i.test(line)),
      ).toEqual([])
    })

    test('a status file that is garbled is said to be, and the next turn writes it anew', async () => {
      await it.host.exec(QUIET)
      await it.host.write(STATUS_FILE, '{"version":1,')
      expect(await verdict()).toBe('status-damaged')
      expect((await it.agent('repair')).code).toBe(0)
      await it.host.exec(`systemctl start ${WATCHES}`)
      expect(await verdict()).toBe('in-force')
      expect((await it.host.stat(STATUS_FILE)).mode).toBe('0644')
    })

    test('no timer: nobody will look again, and how to change that', async () => {
      await it.host.exec('systemctl stop pomerium-host-agent.timer')
      expect(await screen()).toContain('next poll  none: nothing here asks')
      await it.host.exec('systemctl start pomerium-host-agent.timer')
    })

    test('after a boot, until somebody has looked', async () => {
      const units = 'pomerium-host-agent.timer pomerium-host-agent-boot.service'
      // The last look was a good one, and no other is cut off by the power.
      await poll(it)
      await it.host.exec(`${QUIET}; systemctl disable --quiet ${units}`)
      await it.host.reboot()
      expect((await status()).findings.map(({ code }) => code)).toEqual([
        'agent-stopped',
        'not-since-boot',
        'agent-disabled',
      ])
    })
  })
})
