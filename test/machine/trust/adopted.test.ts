// Another owner's CA keys, adopted: on the host, in all that is said of it, and through rotations.

import { readFileSync } from 'node:fs'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { StatusReport } from '../../../agent/cli/host/render-status.ts'
import type { TrustedKey } from '../../../agent/core/outcome/outcome.ts'
import { ODD_LINES } from '../../ca-file-lines.ts'
import { newKeyPair, tokenLine } from '../../ssh-keys.ts'
import { describeTier } from '../../sshd/describe-tier.ts'
import { type Ca, type Certificate, generateKey, makeCa } from '../../sshd/ssh-ca.ts'
import { type TempDir, tempDir } from '../../sshd/temp-dir.ts'
import { machineTier } from '../harness/available.ts'
import { login } from '../harness/login.ts'
import { suitesFor } from '../harness/share.ts'
import { CA_FILE } from '../hosts/agent-host.ts'
import { bootWebhookHost, SECRET_FILE, type WebhookHost } from '../hosts/webhook-host.ts'

const OTHER = '/etc/ssh/sshd_config.d/00-other.conf'
/** As the line has it, and as sshd does. */
const [NAME, THEIRS] = ['~/ca.pub', '/root/ca.pub']
const STATE = '/var/lib/pomerium-host-agent/state.json'
const TEXTFILE = '/var/lib/node-exporter/pomerium.prom'
const ELSEWHERE = '/etc/another-owner/ca.pub'
const URL = 'http://127.0.0.1:9444'
const UNREADABLE = { outcome: 'host-refused', code: 'foreign-ca-unreadable' }
const CONFIG = `sshd: { conflict: adopt }\nmetrics: { textfile: ${TEXTFILE} }\n`

describeTier('adopted keys, on a booted host', machineTier(), () => {
  // One story a host: each test goes on where the one before it ended.
  describe.each(suitesFor({ slice: ['trixie'] }))('%s', suite => {
    let it: WebhookHost
    let first: Ca
    let second: Ca
    let theirs: Ca
    let hidden: Ca
    let weak: { publicKey: string; certificate: Certificate }
    let folder: TempDir
    const token = tokenLine('sk-ed25519', newKeyPair('ed25519').publicKey, 'ssh:')

    beforeAll(async () => {
      ;[first, second, theirs, hidden, folder] = await Promise.all([
        makeCa('ed25519', 'first'),
        makeCa('ed25519', 'second'),
        makeCa('ecdsa', 'theirs'),
        makeCa('ed25519', 'hidden'),
        tempDir(),
      ])
      weak = await makeWeakCa(folder.path)
      it = await bootWebhookHost({
        suite,
        config: CONFIG,
        prepare: async files => {
          await files.write(OTHER, `TrustedUserCAKeys ${NAME}\n`)
          const keys = [theirs.publicKey, token, weak.publicKey, 'garbage', hidden.publicKey]
          await files.write(THEIRS, lines(...keys))
          await files.write(`${TEXTFILE}.txt`, '')
        },
      })
    })
    afterAll(async () => {
      await it?.stop()
      for (const each of [first, second, theirs, hidden, folder]) {
        await each?.[Symbol.asyncDispose]()
      }
    })

    const lines = (...all: string[]) => all.map(line => `${line}\n`).join('')
    const outcomeOf = async (...cas: (Ca | Certificate)[]) => {
      const outcomes: string[] = []
      for (const ca of cas) {
        const by = 'issue' in ca ? { ca } : { certificate: ca }
        outcomes.push((await login(it.host, by)).outcome)
      }
      return outcomes
    }
    const short = (keys: readonly TrustedKey[] = []) =>
      keys.map(({ comment, adopted }) => [comment, adopted])
    const status = async () => {
      const argv = ['pomerium-host-agent', 'status', '--json']
      return JSON.parse(
        (await it.host.exec(argv, { user: 'alice', allowFail: true })).stdout,
      ) as StatusReport
    }
    /** What everything says of it that says anything. */
    const said = async () => {
      const rotated = await it.rotate()
      const flags = ['--secret-file', SECRET_FILE, '--json']
      const notified = await it.agent('bundle', 'notify', URL, ...flags)
      const metrics = await it.host.exec(`curl -sf ${URL}/metrics`)
      const published = JSON.parse(await it.host.read('/run/pomerium-host-agent/status.json'))
      return {
        webhook: short(JSON.parse(rotated.body).trusted),
        notify: short(JSON.parse(notified.stdout).hosts[0].trusted),
        status: short((await status()).trusted),
        'status.json': short(published.trusted),
        metrics: labelsIn(metrics.stdout),
        textfile: labelsIn(await it.host.read(TEXTFILE)),
      }
    }
    const alike = (expected: (string | undefined)[][]) => ({
      webhook: expected,
      notify: expected,
      status: expected,
      'status.json': expected,
      metrics: expected,
      textfile: expected,
    })

    test('before: sshd goes by theirs, short RSA among it, and by nothing behind the garbage', async () => {
      const all = await outcomeOf(theirs, weak.certificate, hidden, first)
      expect(all).toEqual(['accepted', 'accepted', 'refused', 'refused'])
    })

    test('adopted keys log in, and all that says what is trusted names their file', async () => {
      await it.publish('# serial: 1', first.publicKey)
      expect((await it.rotate()).status).toBe(200)
      expect(await outcomeOf(first, theirs, weak.certificate)).toEqual(Array(3).fill('accepted'))
      expect(await it.host.read(CA_FILE)).toContain(token)
      expect(await said()).toEqual(
        alike([
          ['first', undefined],
          ['theirs', THEIRS],
          ['', THEIRS],
          ['weak', THEIRS],
        ]),
      )
    })

    test('what stands behind the garbage is not revived', async () => {
      const { code, outcome } = await it.apply()
      expect(code).toBe(0)
      expect(outcome.warnings).toEqual([expect.stringContaining(`${THEIRS}:4: sshd stops reading`)])
      expect(await outcomeOf(hidden)).toEqual(['refused'])
    })

    test('people see it too', async () => {
      const notify = ['bundle', 'notify', URL, '--secret-file', SECRET_FILE]
      for (const argv of [['status'], ['apply']]) {
        const keys = (await it.agent(...argv)).stdout.replaceAll(/\s+/g, ' ').split(/(?=SHA256:)/)
        const said = (fingerprint: string) => keys.filter(key => key.startsWith(fingerprint)).at(-1)
        expect(said(theirs.fingerprint)).toMatch(new RegExp(` theirs,? .*adopted from ${THEIRS}`))
        expect(said(first.fingerprint)).not.toContain('adopted')
      }
      const table = (await it.agent(...notify)).stdout
      const word = (fingerprint: string) =>
        table
          .split('\n')
          .find(line => line.includes(fingerprint))
          ?.split(' ')[0]
      const [ours, adopted] = [word(first.fingerprint), word(theirs.fingerprint)]
      expect(table.replaceAll(/\s+/g, ' ')).toContain(`${ours}, ${adopted} (by ${THEIRS})`)
    })

    test('a retired key of a bundle is not adopted, whoever names it', async () => {
      await it.host.write(THEIRS, lines(first.publicKey, theirs.publicKey))
      await it.publish('# serial: 2', first.publicKey, second.publicKey)
      expect(short((await it.apply()).outcome.trusted)).toEqual([
        ['first', undefined],
        ['second', undefined],
        ['theirs', THEIRS],
      ])
      await it.publish('# serial: 3', second.publicKey)
      const retired = [
        ['second', undefined],
        ['theirs', THEIRS],
      ]
      const { outcome } = await it.apply()
      expect(outcome.warnings).toEqual([
        expect.stringContaining(`${THEIRS}:1: ${first.fingerprint}`),
      ])
      expect(await said()).toEqual(alike(retired))
      expect(await outcomeOf(first, second, theirs)).toEqual(['refused', 'accepted', 'accepted'])
    })

    test('nor from another file, under another name and with a state from before the memory', async () => {
      const { published, adopted, ...old } = JSON.parse(await it.host.read(STATE))
      expect(published).toEqual([first.fingerprint, second.fingerprint])
      expect(adopted).toEqual({ [theirs.fingerprint]: THEIRS })
      await it.host.write(STATE, JSON.stringify(old))
      await it.host.write(OTHER, `TrustedUserCAKeys ${ELSEWHERE}\n`)
      await it.host.write(ELSEWHERE, lines(second.publicKey, theirs.publicKey))
      await it.publish('# serial: 4', first.publicKey)
      expect(short((await it.apply()).outcome.trusted)).toEqual([
        ['first', undefined],
        ['theirs', ELSEWHERE],
      ])
      expect(await outcomeOf(second, first)).toEqual(['refused', 'accepted'])
    })

    test('what their owner changes is followed, and no drift', async () => {
      const repairs = async () =>
        /drift_repairs_total (\d+)/.exec(await it.host.read(TEXTFILE))?.[1]
      const before = await repairs()
      for (const ca of [hidden, theirs, hidden, theirs, hidden, theirs]) {
        await it.host.write(ELSEWHERE, lines(ca.publicKey))
        const { code, outcome } = await it.apply()
        expect({ code, keys: short(outcome.trusted) }).toEqual({
          code: 0,
          keys: [
            ['first', undefined],
            [ca === theirs ? 'theirs' : 'hidden', ELSEWHERE],
          ],
        })
      }
      expect(await repairs()).toBe(before)
      expect(await outcomeOf(hidden, theirs)).toEqual(['refused', 'accepted'])
    })

    test.each<[why: string, make: string, name?: string]>([
      ['it is missing', `rm ${ELSEWHERE}`],
      ['it is a folder', `rm -f ${ELSEWHERE}; mkdir ${ELSEWHERE}`],
      ['it is missing', `rm -rf ${ELSEWHERE}; ln -s nowhere ${ELSEWHERE}`],
      ['its links lead in a circle', `rm -rf ${ELSEWHERE}; ln -s ${ELSEWHERE} ${ELSEWHERE}`],
      ['a pipe or a device', `rm -rf ${ELSEWHERE}; mkfifo ${ELSEWHERE}`],
      ['more than 64 KiB', `rm -rf ${ELSEWHERE}; head -c 70000 /dev/zero >${ELSEWHERE}`],
      ['a relative path', ':', 'etc/another-owner/ca.pub'],
    ])('what can not be read is not displaced in silence: %s (%s)', async (why, make, name) => {
      await it.host.exec(make)
      await it.host.write(OTHER, `# x\nTrustedUserCAKeys ${name ?? ELSEWHERE}\n`)
      const { code, outcome } = await it.apply()
      expect(code).toBe(5)
      expect(outcome).toMatchObject({ ...UNREADABLE, steps: [] })
      expect(outcome.message).toContain(`${OTHER}:2 (TrustedUserCAKeys ${name ?? ELSEWHERE})`)
      expect(outcome.message).toContain(why)
      expect(short(outcome.trusted)).toEqual(kept)
    })
    const kept = [
      ['first', undefined],
      ['theirs', ELSEWHERE],
    ]

    test('a refused host says what lies there, not what was meant', async () => {
      const stranger = second.publicKey.replace('second', 'stranger')
      await it.host.exec(`echo '${stranger}' >>${CA_FILE}`)
      expect(await outcomeOf(second, theirs)).toEqual(['accepted', 'accepted'])
      expect(await said()).toEqual(alike([...kept, ['stranger', undefined]]))
    })

    test('mended, all is as before, and the stranger is gone', async () => {
      await it.host.write(OTHER, `TrustedUserCAKeys ${ELSEWHERE}\n`)
      await it.host.exec(`rm -rf ${ELSEWHERE}; ln -s ca-2026.pub ${ELSEWHERE}`)
      await it.host.write(`${ELSEWHERE.replace('ca.pub', 'ca-2026.pub')}`, lines(theirs.publicKey))
      // The watch may have been first.
      expect((await it.apply()).code).toBe(0)
      expect(await said()).toEqual(alike(kept))
      expect(await outcomeOf(second, theirs)).toEqual(['refused', 'accepted'])
    })

    test('a key that not every sshd reads is refused by its line', async () => {
      const dsa = ODD_LINES.find(({ name }) => name === 'DSA')?.line
      await it.host.write(ELSEWHERE, lines(theirs.publicKey, String(dsa), hidden.publicKey))
      const { code, outcome } = await it.apply()
      expect(code).toBe(5)
      expect(outcome).toMatchObject({ outcome: 'host-refused', code: 'foreign-ca-key', steps: [] })
      expect(outcome.message).toContain(`${ELSEWHERE}:2 `)
      expect(short(outcome.trusted)).toEqual(kept)
    })

    test('remove gives all back, the memory too', async () => {
      await it.host.write(ELSEWHERE, lines(theirs.publicKey, second.publicKey))
      await it.host.exec(`systemctl stop 'pomerium-host-agent*'`)
      expect((await it.agent('remove', '--json')).code).toBe(0)
      expect(await outcomeOf(first, second, theirs)).toEqual(['refused', 'accepted', 'accepted'])
      expect(short((await it.apply()).outcome.trusted)).toEqual([...kept, ['second', ELSEWHERE]])
    })
  })
})

/** The `comment` and `adopted` of each key that metrics tell, in order. */
function labelsIn(text: string): (string | undefined)[][] {
  const rows = text.split('\n').filter(line => /^pomerium_host_agent_trusted_key_info\{/.test(line))
  return rows.map(row => ['comment', 'adopted'].map(name => label(row, name)))
}

const label = (row: string, name: string) => new RegExp(`[{,]${name}="([^"]*)"`).exec(row)?.[1]

/** A CA of a size that no bundle may hold, and that sshd takes. */
async function makeWeakCa(folder: string) {
  const [ca, user] = [`${folder}/weak`, `${folder}/user`]
  await execa('ssh-keygen', ['-q', '-t', 'rsa', '-b', '1024', '-N', '', '-C', 'weak', '-f', ca])
  await generateKey(user, 'ed25519')
  const shape = ['-I', '', '-n', 'alice', '-V', '-1m:+1h', '-t', 'rsa-sha2-512']
  await execa('ssh-keygen', ['-q', '-s', ca, ...shape, `${user}.pub`])
  const certificate: Certificate = { privateKey: user, certificate: `${user}-cert.pub` }
  return { publicKey: readFileSync(`${ca}.pub`, 'utf8').trimEnd(), certificate }
}
