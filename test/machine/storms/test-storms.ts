// Two CAs applied in turn, as fast as they go, while somebody knocks at sshd's door all the time.

import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { State } from '../../../agent/provisioner/records/state.ts'
import { rounds } from '../../campaign.ts'
import { describeTier } from '../../sshd/describe-tier.ts'
import { makeCa } from '../../sshd/ssh-ca.ts'
import { machineTier } from '../harness/available.ts'
import type { Suite } from '../harness/base.ts'
import { login } from '../harness/login.ts'
import { bootProvisionerHost } from '../hosts/provisioner-host.ts'
import { REASONS_OF_A_RESTART, sshdProbe } from '../probe/sshd-probe.ts'
import { sshdStarts } from '../probe/sshd-starts.ts'

const TIMES = rounds({ slice: 80, whole: 1_000 })
const STATE = '/var/lib/pomerium-host-agent/state.json'
// Debian's unit has systemd's default: five starts in ten seconds, of which two are not ours.
const BURST_OF_OURS = 3
const INTERVAL_MS = 10_000

export function testStorm(suite: Suite): void {
  describeTier(`${TIMES} applies of alternating CAs on ${suite}`, machineTier(), () => {
    test('sshd answers, stays within the budget, and is restarted last', {
      timeout: 1_200_000,
    }, async () => {
      await using first = await makeCa('ed25519', 'first')
      await using second = await makeCa('ed25519', 'second')
      await using it = await bootProvisionerHost({ suite })
      const { host } = it
      expect((await it.apply(first.publicKey)).code).toBe(0)
      const probe = await sshdProbe(host, 10)
      const started = performance.now()
      const bundles = [`${second.publicKey}\n`, `${first.publicKey}\n`]
      const { outcomes } = await it.run({ op: 'storm', bundles, times: TIMES }, 1_000_000)
      const seconds = (performance.now() - started) / 1000
      expect(outcomes.filter(({ outcome }) => outcome !== 'applied')).toEqual([])
      const { mtimeNs } = await host.stat('/var/lib/pomerium/pomerium_user_ca_key.pub')
      const state = async () => JSON.parse(await host.read(STATE)) as State
      const deferred = (await state()).restartDue

      // The restart that is due is made by the timer that systemd holds, and by nobody here.
      await host.waitFor('the last restart', async () => !(await state()).restartDue, 30_000)
      await host.waitFor('the timer to be gone', async () => {
        const { stdout } = await host.exec(
          "systemctl list-units --all --plain --no-legend 'pomerium-host-agent-restart*'",
        )
        return stdout === ''
      })
      await sleep(500)
      const { attempts, failures, gaps, longestGapMs } = await probe.stop()
      const starts = await sshdStarts(host)
      const actions = Object.groupBy(outcomes, ({ service }) => service?.action ?? 'none')
      const counts = Object.entries(actions).map(([action, all]) => `${all?.length} ${action}`)
      process.stdout.write(
        `${suite}: ${seconds.toFixed(0)} s, ${counts.join(', ')}, ${starts.length} starts, last ${deferred ? 'deferred' : 'at once'}; ${failures.length} of ${attempts} probes failed (${[...new Set(failures.map(({ reason }) => reason))].join()}) in ${gaps} gaps, longest gap ${longestGapMs} ms\n`,
      )

      // systemd closes the port when it stops sshd, and sshd opens it when it starts: in between,
      // and nowhere else, probes find it closed.
      expect(failures.filter(({ reason }) => !REASONS_OF_A_RESTART.has(reason))).toEqual([])
      expect(gaps).toBeLessThanOrEqual(starts.length)
      expect(longestGapMs).toBeLessThan(1_000)

      const names = ['ActiveState', 'Result', 'NRestarts', 'ActiveEnterTimestamp'] as const
      const unit = await host.unitProperties('ssh.service', names)
      expect(unit).toMatchObject({ ActiveState: 'active', Result: 'success', NRestarts: '0' })
      const journal = await host.journal('ssh.service')
      expect(journal).not.toMatch(/start-limit-hit|repeated too quickly|Failed/)
      for (const [index, at] of starts.entries()) {
        const later = starts[index + BURST_OF_OURS]
        if (later !== undefined) expect(later - at).toBeGreaterThan(INTERVAL_MS)
      }
      expect(starts.at(-1)).toBeGreaterThan(Number(mtimeNs / 1_000_000n))
      expect((await login(host, { ca: first })).outcome).toBe('accepted')
      expect((await login(host, { ca: second })).outcome).toBe('refused')
      expect(await it.litter()).toEqual([])
    })
  })
}
