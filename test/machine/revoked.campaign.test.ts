// A CA whose private key got out, named in five places beside the bundle: `@revoked` ends it in all of
// them, and nobody else. Each row begins on a host that knows nothing of us, and is given back after it.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { PrintedStatus } from '../../agent/cli/render-status.ts'
import { describeTier } from '../sshd/describe-tier.ts'
import { type Ca, makeCa } from '../sshd/ssh-ca.ts'
import { machineTier } from './available.ts'
import { suites } from './base.ts'
import { login } from './login.ts'
import { bootProvisionerHost, type ProvisionerHost } from './provisioner-host.ts'
import { shareOf } from './share.ts'

const MAIN = '/etc/ssh/sshd_config'
const LIST = '/var/lib/pomerium/pomerium_revoked_user_ca_keys'
const TEXTFILE = '/var/lib/node-exporter/pomerium.prom'
const CONFIG = `sshd: { conflict: adopt }\nmetrics: { textfile: ${TEXTFILE} }\n`
const RESTART = 'systemctl restart ssh'

interface Place {
  name: string
  /** Makes the host trust the stolen key, and another CA beside it where that is possible. */
  lay(it: ProvisionerHost, stolen: string, theirs: string): Promise<void>
  /** As whom the stolen key logs in. */
  user?: string
  /** Whether the other CA is to log in, before and after. */
  others?: boolean
}

const authorizedKeys: Place = {
  name: 'authorized_keys, as cert-authority',
  lay: async ({ host }, stolen, theirs) => {
    const file = '/home/alice/.ssh/authorized_keys'
    await host.write(file, `cert-authority ${stolen}\ncert-authority ${theirs}\n`)
    await host.exec('chown -R alice: /home/alice/.ssh; chmod 700 /home/alice/.ssh')
  },
  others: true,
}
const match: Place = {
  name: 'a line in a Match',
  lay: async ({ host }, stolen) => {
    await host.write('/etc/ssh/bobs.pub', `${stolen}\n`)
    await append(host, 'Match User bob\n    TrustedUserCAKeys /etc/ssh/bobs.pub\nMatch all\n')
  },
  user: 'bob',
}
const adopted: Place = {
  name: 'a file that is adopted',
  lay: async ({ host }, stolen, theirs) => {
    await host.write('/etc/ssh/team.pub', `${stolen}\n${theirs}\n`)
    await host.write('/etc/ssh/sshd_config.d/00-team.conf', 'TrustedUserCAKeys /etc/ssh/team.pub\n')
  },
  others: true,
}
const oldLine: Place = {
  name: 'an old line of sshd_config',
  lay: async ({ host }, stolen, theirs) => {
    await host.write('/etc/ssh/old.pub', `${theirs}\n${stolen}\n`)
    await append(host, 'TrustedUserCAKeys /etc/ssh/old.pub\n')
  },
  others: true,
}
const secondDropIn: Place = {
  name: 'a second drop-in',
  lay: async ({ host }, stolen) => {
    await host.write('/etc/ssh/second.pub', `${stolen}\n`)
    await host.write('/etc/ssh/sshd_config.d/zz-2.conf', 'TrustedUserCAKeys /etc/ssh/second.pub\n')
  },
}
const all: Place = {
  name: 'all five at once',
  lay: async (it, stolen, theirs) => {
    for (const place of [adopted, secondDropIn, oldLine, authorizedKeys, match]) {
      await place.lay(it, stolen, theirs)
    }
  },
  others: true,
}
const PLACES = [authorizedKeys, match, adopted, oldLine, secondDropIn, all]

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
      await it.host.exec('useradd --create-home --shell /bin/bash --password "*" bob')
      await it.host.write(`${TEXTFILE}.txt`, '')
      // Many restarts in a short time, which are not about the start limit.
      await it.host.write(
        '/etc/systemd/system/ssh.service.d/no-limit.conf',
        '[Unit]\nStartLimitIntervalSec=0\n',
      )
      await it.host.exec('systemctl daemon-reload')
      await it.configure(CONFIG)
    })
    afterAll(async () => {
      await it?.[Symbol.asyncDispose]()
      for (const ca of [good, stolen, theirs]) await ca?.[Symbol.asyncDispose]()
    })

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
    const asBefore = async () => {
      const remove = await it.agent('remove', '--json')
      expect(remove.code, remove.stdout).toBe(0)
      serial = 0
    }
    const kept = '/var/tmp/before'
    const keep = () => it.host.exec(`rm -rf ${kept}; cp -a /etc/ssh ${kept}`)
    const giveBack = () =>
      it.host.exec(
        `rm -rf /etc/ssh /home/alice/.ssh; cp -a ${kept} /etc/ssh; ${RESTART}; rm -rf ${kept}`,
      )

    test.each(shareOf(suite, PLACES))('is dead by $name', { timeout: 300_000 }, async place => {
      await keep()
      await place.lay(it, stolen.publicKey, theirs.publicKey)
      await it.host.exec(RESTART)
      const before = await it.host.snapshot('/etc/ssh')
      expect(await outcome(stolen, place.user)).toBe('accepted')
      if (place.others) expect(await outcome(theirs)).toBe('accepted')

      const { revoked } = await apply(dead())
      expect(revoked).toMatchObject([{ fingerprint: stolen.fingerprint, comment: 'stolen' }])
      for (const user of ['alice', 'bob']) expect(await outcome(stolen, user)).toBe('refused')
      expect(await outcome(good)).toBe('accepted')
      if (place.others) expect(await outcome(theirs)).toBe('accepted')

      await asBefore()
      expect(await it.host.snapshot('/etc/ssh')).toEqual(before)
      expect(it.host.exists(LIST)).toBe(false)
      expect(await outcome(stolen, place.user)).toBe('accepted')
      await giveBack()
    })

    describe.runIf(shareOf(suite, ['what is said']).length > 0)('what is said of it', () => {
      test('status and metrics name what is revoked, and no longer when it is not', async () => {
        await apply(dead())
        const told = JSON.parse(await status('--json')) as PrintedStatus
        expect(told.revoked).toMatchObject([{ fingerprint: stolen.fingerprint }])
        expect(await status()).toMatch(new RegExp(`^revoked +${escaped(stolen.fingerprint)}$`, 'm'))
        const metrics = await it.host.read(TEXTFILE)
        expect(metrics).toContain(`revoked_key_info{fingerprint="${stolen.fingerprint}"`)
        expect(metrics).toMatch(/_revoked_keys 1$/m)
        expect(await it.host.stat(LIST)).toMatchObject({ mode: '0600', uid: 0, gid: 0 })

        expect(await apply()).not.toHaveProperty('revoked')
        expect(it.host.exists(LIST)).toBe(false)
        expect(await status()).not.toMatch(/^revoked/m)
        const after = await it.host.read(TEXTFILE)
        expect(after).toMatch(/_revoked_keys 0$/m)
        expect(after).not.toContain('revoked_key_info{')
        expect(await outcome(good)).toBe('accepted')
      })

      test('a list that is gone shuts everybody out, is said to, and put back', async () => {
        await apply(dead())
        await it.host.exec(`rm ${LIST}`)
        expect(await outcome(good)).toBe('refused')
        const told = JSON.parse(await status('--json')) as PrintedStatus
        expect(told.findings.map(({ code }) => code)).toEqual(
          expect.arrayContaining(['not-in-force', 'drift']),
        )
        const { code } = await it.agent('apply')
        expect(code).toBe(0)
        expect(await outcome(good)).toBe('accepted')
        expect(await outcome(stolen)).toBe('refused')
        await asBefore()
      })

      test('another’s RevokedKeys is refused, or united with; a KRL is not', async () => {
        await keep()
        await it.host.write('/etc/ssh/revoked', `# ours\n${theirs.publicKey}\n`)
        await append(it.host, 'RevokedKeys /etc/ssh/revoked\n')
        await it.host.exec(RESTART)
        await apply()
        await it.configure()
        const refused = await it.apply('# serial: 100', good.publicKey, dead())
        expect(refused).toMatchObject({ code: 5, outcome: { code: 'foreign-revoked-keys' } })
        expect(refused.outcome.message).toContain(MAIN)

        await it.configure(CONFIG)
        serial = 100
        await apply(dead(), `@revoked ${(await makeKey()).trim()}`)
        expect(await it.host.read(LIST)).toContain(theirs.publicKey.split(' ')[1])
        for (const ca of [stolen, theirs]) expect(await outcome(ca)).toBe('refused')
        expect(await outcome(good)).toBe('accepted')

        await it.host.exec('ssh-keygen -q -k -f /etc/ssh/revoked /etc/ssh/ssh_host_rsa_key.pub')
        const krl = await it.apply('# serial: 200', good.publicKey, dead())
        expect(krl).toMatchObject({ code: 5, outcome: { code: 'revoked-keys-not-united' } })
        expect(await outcome(good)).toBe('accepted')
        await asBefore()
        await giveBack()
      })
    })

    const makeKey = async () => {
      await it.host.exec(`rm -f /tmp/k*; ssh-keygen -q -t ed25519 -N '' -f /tmp/k`)
      return it.host.read('/tmp/k.pub')
    }
  })
})

const escaped = (text: string) => text.replace(/[+/]/g, '\\$&')

async function append(host: ProvisionerHost['host'], lines: string): Promise<void> {
  await host.write(MAIN, `${(await host.read(MAIN)).trimEnd()}\n${lines}`)
}
