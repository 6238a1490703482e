// SIGKILL of the provisioner on a booted host: before and after every step of every kind of plan,
// and at random instants. In `npm test` the three suites together take every third of the steps.

import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { campaign, slice } from '../../campaign.ts'
import { describeTier } from '../../sshd/describe-tier.ts'
import { type Ca, makeCa } from '../../sshd/ssh-ca.ts'
import { machineTier } from '../harness/available.ts'
import type { Suite } from '../harness/base.ts'
import { login } from '../harness/login.ts'
import { shareOf } from '../harness/share.ts'
import { bootProvisionerHost, type ProvisionerHost } from '../hosts/provisioner-host.ts'
import { type Keys, type Kind, kinds } from './kill-kinds.ts'

// On three suites, a little more than 500 together.
const UNLIMITED = { slice: 10, whole: 110 }
const LIMITED = { slice: 6, whole: 60 }
const LIMIT_HIT = /start-limit-hit|repeated too quickly/
/** The longest that sshd is away while it restarts; anything more is not a restart. */
const RESTART_GAP_MS = 1_000
// The kills of the first part are to be many in a short time, and are not about the start limit.
const NO_LIMIT = '/etc/systemd/system/ssh.service.d/no-limit.conf'

export function testKills(suite: Suite): void {
  describeTier(`the provisioner killed on ${suite}`, machineTier(), () => {
    let it: ProvisionerHost
    const cas = {} as Record<keyof Keys, Ca>
    let keys: Keys
    let nonce = 0
    const sh = (line: string) => it.host.exec(line)
    const accepted = async (who: keyof Keys) => {
      const { outcome, stderr } = await login(it.host, { ca: cas[who] })
      expect(outcome, `login with ${who}: ${stderr}`).toBe('accepted')
    }
    // Each time other bytes: the same ones again and again would count as a fight over a file.
    const apply = async (who: keyof Keys) => {
      nonce += 1
      const { code, outcome } = await it.apply(`# nonce: ${nonce}`, keys[who])
      expect(outcome.message).toMatch(/now trusts|nothing to do/)
      expect(code).toBe(0)
    }
    const whoseFile = async () => {
      const text = await it.caFile()
      const [name] = Object.entries(keys).find(([, key]) => text?.startsWith(`${key}\n`)) ?? []
      return name as keyof Keys | undefined
    }

    beforeAll(async () => {
      for (const name of ['first', 'second', 'foreign'] as const) {
        cas[name] = await makeCa('ed25519', name)
      }
      keys = {
        first: cas.first.publicKey,
        second: cas.second.publicKey,
        foreign: cas.foreign.publicKey,
      }
      it = await bootProvisionerHost({ suite })
      await it.host.write(NO_LIMIT, '[Unit]\nStartLimitIntervalSec=0\n')
      await sh('systemctl daemon-reload')
    })
    afterAll(async () => {
      await it?.[Symbol.asyncDispose]()
      for (const ca of Object.values(cas)) await ca[Symbol.asyncDispose]()
    })

    describe('before and after every step of', () => {
      test.each(kinds)('$name', { timeout: 600_000 }, async kind => {
        await apply('first')
        const before = await it.host.snapshot('/etc/ssh')
        await kind.begin(it, keys)
        const old = await it.caFile()
        const { instants } = await it.run(kind.job(keys))
        const after = await it.caFile()
        await kind.end?.(it)
        expect(instants.length).toBeGreaterThan(4)
        const here = shareOf(suite, [...instants.entries()])
        for (const [killAt, instant] of slice(`${suite}, ${kind.name}`, here, 3)) {
          await apply('first')
          await kind.begin(it, keys)
          await it.kill({ ...kind.job(keys), killAt })
          await standsUp(kind, [old, after]).catch(error => {
            throw new Error(`killed at ${instant}: ${error.message}`, { cause: error })
          })
          await convergesFrom(kind).catch(error => {
            throw new Error(`after a kill at ${instant}: ${error.message}`, { cause: error })
          })
          await kind.end?.(it)
        }
        await apply('first')
        expect(await it.host.snapshot('/etc/ssh')).toEqual(before)
      })
    })

    const standsUp = async (kind: Kind, whole: (string | undefined)[]) => {
      await sh('sshd -t')
      expect(whole).toContain(await it.caFile())
      expect(await it.answers()).toBeLessThan(RESTART_GAP_MS)
      const who = await whoseFile()
      if (kind.trusts === 'before-and-after') await accepted(who ?? 'first')
      if (kind.always !== undefined) await accepted(kind.always)
    }

    const convergesFrom = async (kind: Kind) => {
      const job = kind.job(keys)
      if (job.op === 'remove') {
        expect((await it.agent('remove')).code).toBe(0)
        expect(await it.caFile()).toBeUndefined()
        expect((await login(it.host, { ca: cas.first })).outcome).toBe('refused')
      } else {
        const to = job.op === 'provision' && job.bundle.startsWith(keys.second) ? 'second' : 'first'
        await apply(to)
        await accepted(to)
      }
      if (kind.always !== undefined) await accepted(kind.always)
      expect(await it.litter()).toEqual([])
    }

    // Runs alternating rotations and kills them, `kills` times; says how long sshd was away at most.
    const killAtRandom = async (of: { slice: number; whole: number }) => {
      const { numRuns: kills, seed } = campaign(`kills on ${suite}`, of)
      // Runs that end before they are killed are not counted, so there are more of these than kills.
      const moments = fc.sample(fc.double({ min: 0.2, max: 1.2, noNaN: true }), {
        numRuns: 8 * kills,
        seed,
      })
      let [killed, cutOff, longest, usualMs] = [0, 0, 0, 400]
      for (let run = 0; killed < kills; run++) {
        nonce += 1
        const next = run % 2 === 0 ? 'second' : 'first'
        const bundle = `# nonce: ${nonce}\n${keys[next]}\n`
        const started = performance.now()
        const running = it.start({ op: 'provision', bundle })
        const timer = setTimeout(
          () => running.kill(),
          usualMs * (moments[run % moments.length] ?? 1),
        )
        const { code } = await running.done
        clearTimeout(timer)
        if (code === 137) killed += 1
        else usualMs = Math.min(performance.now() - started, 3_000)
        const [who, gap, litter] = await Promise.all([whoseFile(), it.answers(), it.litter()])
        // systemd goes on with a restart whose asker was killed, and /run/sshd is missing until the
        // new one starts: `sshd -t` fails for want of that, whatever the configuration.
        await sh('sshd -t')
        expect(['first', 'second']).toContain(who)
        longest = Math.max(gap, longest)
        cutOff += litter.length > 0 ? 1 : 0
        if (killed % 25 === 24) {
          await apply(next)
          await accepted(next)
          expect(await it.litter()).toEqual([])
        }
      }
      process.stdout.write(`${suite}: ${killed} killed, ${cutOff} within, ${longest} ms\n`)
      expect(cutOff).toBeGreaterThanOrEqual(Math.floor(kills / 20))
      expect(longest).toBeLessThan(RESTART_GAP_MS)
      await apply('first')
      await accepted('first')
      expect(await it.litter()).toEqual([])
    }

    test('at random instants', { timeout: 600_000 }, async () => {
      await apply('first')
      await killAtRandom(UNLIMITED)
    })

    test("at more of them, under Debian's start limit", { timeout: 600_000 }, async () => {
      await sh(`rm ${NO_LIMIT}; systemctl daemon-reload`)
      await killAtRandom(LIMITED)
      const unit = await it.host.unitProperties('ssh.service', ['ActiveState', 'Result'])
      expect(unit).toEqual({ ActiveState: 'active', Result: 'success' })
      const journal = await it.host.journal('ssh.service')
      expect(journal.split('\n').filter(line => LIMIT_HIT.test(line))).toEqual([])
    })
  })
}
