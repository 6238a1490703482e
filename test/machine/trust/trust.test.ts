// What a host takes for trustworthy: signed bundles and their replays, and a daemon that was taken over.

import { readFileSync } from 'node:fs'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { wireString } from '../../../agent/core/keys/wire-strings.ts'
import type { Outcome } from '../../../agent/core/outcome/outcome.ts'
import {
  encodeRequest,
  type ProvisionReply,
} from '../../../agent/core/protocol/provision-protocol.ts'
import { describeTier } from '../../sshd/describe-tier.ts'
import { type Ca, generateKey, makeCa } from '../../sshd/ssh-ca.ts'
import { type TempDir, tempDir } from '../../sshd/temp-dir.ts'
import { armor } from '../../sshsig.ts'
import { machineTier } from '../harness/available.ts'
import { login } from '../harness/login.ts'
import { suitesFor } from '../harness/share.ts'
import { CA_FILE } from '../hosts/agent-host.ts'
import { bootWebhookHost, type WebhookHost } from '../hosts/webhook-host.ts'

const SIGNERS = '/etc/pomerium/bundle-signers'
const CONFIG = '/etc/pomerium/host-agent.yaml'
const SOCKET = '/run/pomerium-host-agent/provisioner.sock'
const SIGNED = `trust:\n  signers_file: ${SIGNERS}\n`
// On the host, as the user that the network wing runs as; Node is the agent's own.
const ASK = `
  const socket = require('node:net').connect('${SOCKET}')
  socket.on('data', chunk => process.stdout.write(chunk))
  socket.on('error', error => { process.stdout.write(error.code); process.exit(1) })
  process.stdin.pipe(socket)
`

describeTier('what a host trusts', machineTier(), () => {
  describe.each(suitesFor({ slice: ['trixie'] }))('%s', suite => {
    let it: WebhookHost
    let good: Ca
    let evil: Ca
    let keys: TempDir
    let asConfigured: string

    beforeAll(async () => {
      ;[good, evil, keys] = await Promise.all([makeCa(), makeCa(), tempDir()])
      for (const name of ['ops', 'thief'])
        await generateKey(`${keys.path}/${name}`, 'ed25519', name)
      const signer = readFileSync(`${keys.path}/ops.pub`, 'utf8')
      it = await bootWebhookHost({
        suite,
        config: SIGNED,
        prepare: files => files.write(SIGNERS, `ops@example.com ${signer}`, { mode: 0o644 }),
      })
      asConfigured = await it.host.read(CONFIG)
    })
    afterAll(async () => {
      await it?.stop()
      for (const each of [good, evil, keys]) await each?.[Symbol.asyncDispose]()
    })

    /** Signed as an operator would with nothing but OpenSSH. */
    async function signed(text: string, by = 'ops'): Promise<string> {
      const args = ['-Y', 'sign', '-f', `${keys.path}/${by}`, '-n', 'pomerium-user-ca']
      const { stdout } = await execa('ssh-keygen', args, { input: text })
      return `${text}${stdout}\n`
    }
    const bundle = (ca: Ca, ...headers: string[]) =>
      [...headers.map(header => `# ${header}`), ca.publicKey, ''].join('\n')
    const apply = async (text: string) => {
      await it.publishBytes(Buffer.from(text))
      return it.apply()
    }
    /** Everything but the report of the last cycle. */
    const untouched = async () => {
      const { host } = it
      const names = ['ActiveEnterTimestampMonotonic', 'MainPID'] as const
      return {
        ssh: await host.snapshot('/etc/ssh'),
        lib: await host.snapshot('/var/lib/pomerium'),
        state: await host.read('/var/lib/pomerium-host-agent/state.json'),
        caFile: await host.stat(CA_FILE),
        unit: await host.unitProperties('ssh.service', names),
      }
    }
    /** What the provisioner answers to whoever is on its socket. */
    const ask = async (text: string): Promise<Outcome> => {
      const program = '/usr/local/lib/pomerium-host-agent/*/node'
      const { stdout } = await it.host.exec(`exec ${program} -e "$ASK"`, {
        user: 'pomerium-host-agent',
        env: { ASK },
        input: encodeRequest({ op: 'apply', bundle: Buffer.from(text) }),
      })
      const reply = JSON.parse(stdout) as ProvisionReply
      if (reply.kind !== 'outcome') throw new Error(stdout)
      return reply.outcome
    }
    const configure = (trust: string) =>
      it.host.write(CONFIG, asConfigured.replace(SIGNED, trust), { mode: 0o644 })

    test('a bundle that its signer signed is applied, and who that is is kept', async () => {
      const applied = await apply(await signed(bundle(good, 'serial: 5')))
      expect(applied).toMatchObject({ code: 0, outcome: { outcome: 'applied', serial: 5 } })
      expect((await login(it.host, { ca: good })).outcome).toBe('accepted')
      const state = JSON.parse(
        String(await it.host.read('/var/lib/pomerium-host-agent/state.json')),
      )
      expect(state.held.signer).toMatchObject({ principal: 'ops@example.com' })
    })

    test.each<[what: string, code: string, make: () => Promise<string>]>([
      ['an older signed bundle', 'rollback', () => signed(bundle(evil, 'serial: 4'))],
      ['a signed bundle without serial', 'serial-missing', () => signed(bundle(evil))],
      [
        'the same serial with other bytes',
        'serial-reused',
        () => signed(bundle(evil, 'serial: 5')),
      ],
      [
        'one that is over',
        'expired',
        () => signed(bundle(evil, 'serial: 6', 'expires: 2020-01-01T00:00:00Z')),
      ],
      ['an unsigned one', 'unsigned', async () => bundle(evil, 'serial: 6')],
      [
        'one that another signed',
        'unknown-signer',
        () => signed(bundle(evil, 'serial: 6'), 'thief'),
      ],
      [
        'one that was changed',
        'bad-signature',
        async () => (await signed(bundle(evil, 'serial: 5'))).replace('serial: 5', 'serial: 6'),
      ],
      [
        'one with a line behind its signature',
        'text-after-signature',
        async () => `${await signed(bundle(good, 'serial: 6'))}${evil.publicKey}\n`,
      ],
    ])('%s is refused (%s), by the source and on the socket', async (_, code, make) => {
      const before = await untouched()
      const text = await make()
      const refused = await apply(text)
      expect(refused).toMatchObject({ code: 4, outcome: { outcome: 'refused', code, serial: 5 } })
      expect(refused.outcome.trusted).toMatchObject([{ fingerprint: good.fingerprint }])
      // The same by a daemon that was taken over, which does not trouble to fetch.
      expect(await ask(text)).toMatchObject({ outcome: 'refused', code })
      expect(await untouched()).toEqual(before)
    })

    /** With nothing but the public key of the signer: what is signed is 64 bytes of nothing. */
    const forged = (name: string, part: 'algorithm' | 'key type') => {
      const [, base64 = ''] = readFileSync(`${keys.path}/ops.pub`, 'utf8').split(' ')
      const blob = Buffer.from(base64, 'base64')
      const key = part === 'algorithm' ? blob : Buffer.concat([wireString(name), blob.subarray(15)])
      const inner = [part === 'algorithm' ? name : 'ssh-ed25519', Buffer.alloc(64)].map(wireString)
      const fields = [key, 'pomerium-user-ca', '', 'sha512', Buffer.concat(inner)].map(wireString)
      const text = bundle(evil, 'serial: 6')
      return text + armor(Buffer.concat([Buffer.from('SSHSIG'), Buffer.of(0, 0, 0, 1), ...fields]))
    }

    test('a signature by a name that every object has is none: by the source, the socket, the webhook', async () => {
      const before = await untouched()
      for (const name of Object.getOwnPropertyNames(Object.prototype)) {
        for (const part of ['algorithm', 'key type'] as const) {
          const text = forged(name, part)
          const refused = { outcome: 'refused', code: 'unsupported-signature', serial: 5 }
          expect(await ask(text)).toMatchObject(refused)
          if (!['toString', 'constructor', '__proto__', 'valueOf'].includes(name)) continue
          expect(await apply(text)).toMatchObject({ code: 4, outcome: refused })
        }
      }
      for (const name of ['toString', '__proto__']) {
        await it.publishBytes(Buffer.from(forged(name, 'key type')))
        const { status, body } = await it.rotate()
        expect({ status, ...JSON.parse(body) }).toMatchObject({
          status: 200,
          outcome: 'refused',
          code: 'unsupported-signature',
        })
      }
      expect(await untouched()).toEqual(before)
    })

    test('what is held is the same one with a blank in its armor, and so is the genuine one', async () => {
      const text = await signed(bundle(good, 'serial: 5'))
      const spaced = text.replace('U1NIU0lH', 'U1NI U0lH')
      for (const each of [spaced, text]) {
        expect(await apply(each)).toMatchObject({ code: 0, outcome: { outcome: 'unchanged' } })
      }
    })

    test('where ssh-keygen says no to what we take, that is refused, with an alarm in the journal', async () => {
      const text = await signed(bundle(good, 'serial: 6'))
      const ours = '/usr/bin/ssh-keygen'
      await it.host.write(
        '/root/says-no',
        '#!/bin/sh\necho "Could not verify signature."\nexit 255\n',
      )
      await it.host.exec(`chmod 755 /root/says-no && mount --bind /root/says-no ${ours}`)
      // The provisioner that is up has its own view of the host's mounts.
      await it.host.exec('systemctl stop pomerium-host-agent-provisioner.service')
      const before = await untouched()
      const refused = { outcome: 'refused', code: 'verifiers-disagree', serial: 5 }
      expect(await ask(text)).toMatchObject(refused)
      await it.publishBytes(Buffer.from(text))
      expect(JSON.parse((await it.rotate()).body)).toMatchObject(refused)
      const byHand = await it.apply()
      expect(byHand).toMatchObject({ code: 4, outcome: refused })
      expect(byHand.stderr).toContain('"level":"error"')
      const { stdout } = await it.host.exec(
        'journalctl -u pomerium-host-agent-provisioner.service -o cat',
      )
      const alarms = stdout.split('\n').filter(line => line.includes('"event":"alarm"'))
      expect(alarms.map(line => JSON.parse(line))).toEqual(
        Array(2).fill(
          expect.objectContaining({ level: 'error', event: 'alarm', code: 'verifiers-disagree' }),
        ),
      )
      expect(await untouched()).toEqual(before)
      await it.host.exec(`umount ${ours}; systemctl stop pomerium-host-agent-provisioner.service`)
      // In the sandbox of its unit ssh-keygen is heard, and says yes.
      expect(await ask(await signed(bundle(good, 'serial: 5')))).toMatchObject({
        outcome: 'unchanged',
      })
    })

    test('a signers file that others can write is gone by no more', async () => {
      const before = await untouched()
      await it.host.exec(`chmod o+w ${SIGNERS}`)
      const refused = await apply(await signed(bundle(good, 'serial: 6')))
      expect(refused).toMatchObject({ code: 5, outcome: { code: 'signers-file-unsafe' } })
      await it.host.exec(`chmod o-w ${SIGNERS}`)
      expect(await untouched()).toEqual(before)
    })

    test('the daemon’s user can change neither the rules nor what is held', async () => {
      const places = [
        SIGNERS,
        CONFIG,
        '/var/lib/pomerium-host-agent/state.json',
        CA_FILE,
        '/etc/ssh/x',
      ]
      for (const place of places) {
        const tried = await it.host.exec(`echo >> ${place}`, {
          user: 'pomerium-host-agent',
          allowFail: true,
        })
        expect(tried.code).not.toBe(0)
      }
      const remove = 'rm -rf /var/lib/pomerium-host-agent/state.json /etc/pomerium/bundle-signers'
      await it.host.exec(remove, { user: 'pomerium-host-agent', allowFail: true })
      expect(await ask(bundle(evil))).toMatchObject({ outcome: 'refused', code: 'unsigned' })
    })

    describe.each([
      ['signers_file', 'trust:\n  signers_file:\n'],
      ['signers_file, with a remark', 'trust:\n  signers_file: # /etc/pomerium/bundle-signers\n'],
      ['fingerprints', 'trust:\n  fingerprints: []\n'],
      ['the whole section', 'trust:\n'],
      ['accept_from', `${SIGNED}sshd:\n  accept_from:\n`],
    ])('a template that is not filled in: %s', (_, template) => {
      test('neither apply nor the services go by it, and nothing changes', async () => {
        const before = await untouched()
        const { host } = it
        await it.publishBytes(Buffer.from(bundle(evil, 'serial: 9')))
        await configure(template)
        const line = (await host.read(CONFIG)).trimEnd().split('\n').length
        const said = new RegExp(`${CONFIG}:${line}: \\S+ is written without a value`)
        for (const command of ['apply', 'plan', 'repair', 'configure']) {
          const { code, stdout, stderr } = await it.agent(command)
          expect({ code, stdout, stderr }, command).toEqual({
            code: 2,
            stdout: '',
            stderr: expect.stringMatching(said),
          })
        }
        for (const name of ['', '-provisioner', '-repair']) {
          const unit = `pomerium-host-agent${name}.service`
          await host.exec(['systemctl', 'stop', unit])
          await host.exec(['systemctl', 'start', unit], { allowFail: true })
          const status = await host.waitFor(`${unit} to leave`, async () => {
            const is = await host.unitProperties(unit, ['ActiveState', 'ExecMainStatus'])
            return is.ActiveState === 'failed' && is.ExecMainStatus
          })
          expect(status, unit).toBe('2')
          expect(await host.journal(unit)).toMatch(said)
        }
        expect(await untouched()).toEqual(before)
        await configure(SIGNED)
        await host.exec('systemctl reset-failed "pomerium-host-agent*"')
        await host.exec('systemctl start pomerium-host-agent-provisioner.socket')
      })
    })

    test('nor is a variable that is set to nothing taken for “verify nothing”', async () => {
      const before = await untouched()
      for (const name of ['TRUST_SIGNERS_FILE', 'TRUST_FINGERPRINTS', 'SSHD_ACCEPT_FROM']) {
        const variable = `POMERIUM_HOST_AGENT_${name}`
        const argv = ['pomerium-host-agent', 'apply']
        const ended = await it.host.exec(argv, { env: { [variable]: '' }, allowFail: true })
        expect(ended).toMatchObject({ code: 2, stderr: expect.stringContaining(variable) })
      }
      expect(await untouched()).toEqual(before)
    })

    test('with a list of fingerprints it can install none that is not on it', async () => {
      await configure(`trust:\n  fingerprints: [${good.fingerprint}]\n`)
      const before = await untouched()
      for (const text of [bundle(evil, 'serial: 9'), bundle(good, 'serial: 9') + evil.publicKey]) {
        expect(await ask(text)).toMatchObject({
          outcome: 'refused',
          code: 'fingerprint-not-allowed',
        })
      }
      expect(await untouched()).toEqual(before)
      expect((await login(it.host, { ca: evil })).outcome).toBe('refused')
    })

    test('with neither it can: this is what docs/security.md says, and why to set one', async () => {
      await configure('')
      expect(await ask(bundle(evil, 'serial: 9'))).toMatchObject({ outcome: 'applied' })
      expect((await login(it.host, { ca: evil })).outcome).toBe('accepted')
    })
  })
})
