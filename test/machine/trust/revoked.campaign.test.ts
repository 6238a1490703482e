// A CA whose private key got out, named in five places beside the bundle: `@revoked` ends it in all of
// them, and nobody else. Each row begins on a host that knows nothing of us, and is given back after it.

import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import type { PrintedStatus } from '../../../agent/cli/host/render-status.ts'
import { newKeyLine } from '../../ssh-keys.ts'
import { describeTier } from '../../sshd/describe-tier.ts'
import { type Ca, makeCa } from '../../sshd/ssh-ca.ts'
import { machineTier } from '../harness/available.ts'
import { suites } from '../harness/base.ts'
import { login } from '../harness/login.ts'
import { shareOf } from '../harness/share.ts'
import { DROP_IN, REVOKED } from '../hosts/agent-host.ts'
import { bootProvisionerHost, type ProvisionerHost } from '../hosts/provisioner-host.ts'
import { addBob, append, STOLEN_PLACES } from './stolen-places.ts'

const MAIN = '/etc/ssh/sshd_config'
const THEIRS = '/etc/ssh/revoked'
const TEXTFILE = '/var/lib/node-exporter/pomerium.prom'
const UNIT = '/etc/systemd/system/ssh.service.d'
const METRICS = `metrics: { textfile: ${TEXTFILE} }\n`
const CONFIG = `sshd: { conflict: adopt }\n${METRICS}`
const KEPT = '/var/tmp/before'
const RESTART = 'systemctl restart ssh'

describeTier('a CA that is revoked, on a booted host', machineTier(), () => {
  describe.each(suites)('%s', suite => {
    let it: ProvisionerHost
    let good: Ca
    let stolen: Ca
    let theirs: Ca
    let serial = 0

    beforeAll(async () => {
      ;[good, stolen, theirs] = await Promise.all([
        makeCa('ed25519', 'good'),
        makeCa('ed25519', 'stolen'),
        makeCa('ecdsa', 'theirs'),
      ])
      it = await bootProvisionerHost({ suite })
      await addBob(it.host)
      await it.host.write(`${TEXTFILE}.txt`, '')
      // Many restarts in a short time, which are not about the start limit.
      await it.host.write(`${UNIT}/no-limit.conf`, '[Unit]\nStartLimitIntervalSec=0\n')
      await it.host.exec('systemctl daemon-reload')
    })
    afterAll(async () => {
      await it?.[Symbol.asyncDispose]()
      for (const ca of [good, stolen, theirs]) await ca?.[Symbol.asyncDispose]()
    })

    /** A host as it was before us, and so again after the test, however that ends. */
    const begin = async (config = CONFIG) => {
      serial = 0
      await it.host.exec(`cp -a /etc/ssh ${KEPT}`)
      onTestFinished(async () => {
        await it.agent('remove')
        const gone = `/etc/ssh /home/alice/.ssh ${UNIT}/fails.conf`
        const back = `rm -rf ${gone}; mv ${KEPT} /etc/ssh; systemctl daemon-reload; ${RESTART}`
        await it.host.exec(back)
      })
      await it.configure(config)
    }
    const outcome = async (ca: Ca, user = 'alice') => (await login(it.host, { ca, user })).outcome
    const dead = () => `@revoked ${stolen.publicKey}`
    const apply = async (...lines: string[]) => {
      serial += 1
      const { code, outcome } = await it.apply(`# serial: ${serial}`, good.publicKey, ...lines)
      expect(outcome).toMatchObject({ outcome: 'applied' })
      expect(code).toBe(0)
      return outcome
    }
    const status = async (...flags: string[]) => (await it.agent('status', ...flags)).stdout
    const findings = async () => {
      const told = JSON.parse(await status('--json')) as PrintedStatus
      return told.findings.map(({ code }) => code)
    }
    const remove = async () => {
      const { code, stdout } = await it.agent('remove', '--json')
      expect(code, stdout).toBe(0)
      expect(it.host.exists(REVOKED)).toBe(false)
    }
    const layAuthorizedKeys = async () =>
      STOLEN_PLACES[0].lay(it.host, stolen.publicKey, theirs.publicKey)
    const layTheirList = async (...keys: string[]) => {
      await it.host.write(THEIRS, keys.map(key => `${key}\n`).join(''))
      await append(it.host, `RevokedKeys ${THEIRS}\n`)
      await it.host.exec(RESTART)
    }

    test.each(shareOf(suite, STOLEN_PLACES))('is dead by $name', { timeout: 300_000 }, async at => {
      await begin()
      await at.lay(it.host, stolen.publicKey, theirs.publicKey)
      await it.host.exec(RESTART)
      const before = await it.host.snapshot('/etc/ssh')
      expect(await outcome(stolen, at.user)).toBe('accepted')
      if (at.others) expect(await outcome(theirs)).toBe('accepted')

      const { revoked } = await apply(dead())
      expect(revoked).toMatchObject([{ fingerprint: stolen.fingerprint, comment: 'stolen' }])
      for (const user of ['alice', 'bob']) expect(await outcome(stolen, user)).toBe('refused')
      expect(await outcome(good)).toBe('accepted')
      if (at.others) expect(await outcome(theirs)).toBe('accepted')

      await remove()
      expect(await it.host.snapshot('/etc/ssh')).toEqual(before)
      expect(await outcome(stolen, at.user)).toBe('accepted')
    })

    const rows = {
      async 'status and metrics name what is revoked, and no longer when it is not'() {
        await begin()
        await apply(dead())
        const told = JSON.parse(await status('--json')) as PrintedStatus
        expect(told.revoked).toMatchObject([{ fingerprint: stolen.fingerprint }])
        expect(await status()).toMatch(new RegExp(`^revoked +${escaped(stolen.fingerprint)}$`, 'm'))
        const metrics = await it.host.read(TEXTFILE)
        expect(metrics).toContain(`revoked_key_info{fingerprint="${stolen.fingerprint}"`)
        expect(metrics).toMatch(/_revoked_keys 1$/m)
        expect(await it.host.stat(REVOKED)).toMatchObject({ mode: '0600', uid: 0, gid: 0 })

        expect(await apply()).not.toHaveProperty('revoked')
        expect(it.host.exists(REVOKED)).toBe(false)
        expect(await status()).not.toMatch(/^revoked/m)
        const after = await it.host.read(TEXTFILE)
        expect(after).toMatch(/_revoked_keys 0$/m)
        expect(after).not.toContain('revoked_key_info{')
        expect(await outcome(good)).toBe('accepted')
      },

      async 'a list that is gone shuts everybody out, is said to, and put back'() {
        await begin()
        await apply(dead())
        await it.host.exec(`rm ${REVOKED}`)
        expect(await outcome(good)).toBe('refused')
        expect(await findings()).toEqual(expect.arrayContaining(['not-in-force', 'drift']))
        const { stdout } = await it.host.exec('pomerium-host-agent status --json', {
          user: 'alice',
          allowFail: true,
        })
        expect(JSON.parse(stdout).findings).toContainEqual(
          expect.objectContaining({ code: 'drift', headline: expect.stringContaining(REVOKED) }),
        )
        expect((await it.agent('apply')).code).toBe(0)
        expect(await outcome(good)).toBe('accepted')
        expect(await outcome(stolen)).toBe('refused')
      },

      async 'another’s RevokedKeys is refused, or united with; a KRL is not'() {
        await begin('')
        await layTheirList('# ours', theirs.publicKey)
        await apply()
        serial = 100
        const refused = await it.apply('# serial: 100', good.publicKey, dead())
        expect(refused).toMatchObject({ code: 5, outcome: { code: 'foreign-revoked-keys' } })
        expect(refused.outcome.message).toContain(MAIN)

        await it.configure(CONFIG)
        await apply(dead())
        expect(await it.host.read(REVOKED)).toContain(theirs.publicKey.split(' ')[1])
        for (const ca of [stolen, theirs]) expect(await outcome(ca)).toBe('refused')
        expect(await outcome(good)).toBe('accepted')

        await it.host.exec(`ssh-keygen -q -k -f ${THEIRS} /etc/ssh/ssh_host_rsa_key.pub`)
        const krl = await it.apply('# serial: 200', good.publicKey, dead())
        expect(krl).toMatchObject({ code: 5, outcome: { code: 'revoked-keys-not-united' } })
        expect(await outcome(good)).toBe('accepted')
      },

      async 'a list of theirs that has our keys too stays, and is watched over'() {
        await begin(METRICS)
        await layAuthorizedKeys()
        await layTheirList(stolen.publicKey)
        await append(it.host, `Match User bob\n    RevokedKeys ${THEIRS}\nMatch all\n`)
        await apply(dead())
        expect(await it.host.read(DROP_IN)).not.toContain('RevokedKeys')
        for (const user of ['alice', 'bob']) {
          expect(await outcome(stolen, user)).toBe('refused')
          expect(await outcome(good, user)).toBe('accepted')
        }
        expect(await outcome(theirs)).toBe('accepted')

        await it.host.write(THEIRS, '')
        expect(await outcome(stolen)).toBe('accepted')
        expect((await it.agent('plan')).code).toBe(5)
        expect(JSON.parse(await status('--json'))).toMatchObject({ well: false })
        await it.host.write(THEIRS, `${stolen.publicKey}\n`)
        await remove()
      },

      async 'is dead from everywhere, where the CA is trusted from some addresses only'() {
        await begin('sshd: { accept_from: [192.0.2.1] }\n')
        await layAuthorizedKeys()
        await apply(dead())
        expect(await outcome(stolen)).toBe('refused')
        expect(await outcome(theirs)).toBe('accepted')
      },

      async 'is dead by the block, where sshd_config has no Include'() {
        await begin()
        await layAuthorizedKeys()
        await it.host.exec(`sed -i '/^Include/d' ${MAIN}; ${RESTART}`)
        const before = await it.host.read(MAIN)
        await apply(dead())
        expect(await outcome(stolen)).toBe('refused')
        for (const ca of [good, theirs]) expect(await outcome(ca)).toBe('accepted')
        await remove()
        expect(await it.host.read(MAIN)).toBe(before)
        expect(await outcome(theirs)).toBe('accepted')
      },

      async 'an apply that fails, and a remove after the drop-in went, shut nobody out'() {
        await begin()
        await layAuthorizedKeys()
        await apply()
        const fails = `[Service]\nExecStartPre=/bin/sh -c '! grep -q RevokedKeys ${DROP_IN}'\nRestart=no\n`
        await it.host.write(`${UNIT}/fails.conf`, fails)
        await it.host.exec('systemctl daemon-reload')
        serial = 100
        const { code, outcome: end } = await it.apply('# serial: 100', good.publicKey, dead())
        expect(end).toMatchObject({ outcome: 'rolled-back' })
        expect(end).not.toHaveProperty('revoked')
        expect(code).toBe(6)
        expect(it.host.exists(REVOKED)).toBe(false)
        for (const ca of [good, stolen, theirs]) expect(await outcome(ca)).toBe('accepted')

        await it.host.exec(`rm ${UNIT}/fails.conf; systemctl daemon-reload; ${RESTART}`)
        await apply(dead())
        await it.host.exec(`rm ${DROP_IN}`)
        await remove()
        for (const ca of [stolen, theirs]) expect(await outcome(ca)).toBe('accepted')
        expect(await outcome(good)).toBe('refused')
      },

      async 'as many keys as a bundle may revoke, in the lines of Windows'() {
        await begin()
        await layAuthorizedKeys()
        const others = Array.from({ length: 63 }, () => `@revoked ${newKeyLine('ed25519')}\r`)
        const { revoked } = await apply(...others, `${dead()}\r`)
        expect(revoked).toHaveLength(64)
        expect(await outcome(stolen)).toBe('refused')
        for (const ca of [good, theirs]) expect(await outcome(ca)).toBe('accepted')
        await it.host.exec(`sort -R ${REVOKED} -o ${REVOKED}`)
        expect(await findings()).toContain('drift')
        const more = await it.apply('# serial: 9', good.publicKey, ...others, others[0] as string)
        expect(more).toMatchObject({ code: 4, outcome: { code: 'duplicate-key' } })
      },
    }
    test.each(shareOf(suite, Object.entries(rows)))('%s', (_, run) => run())
  })
})

const escaped = (text: string) => text.replace(/[+/]/g, '\\$&')
