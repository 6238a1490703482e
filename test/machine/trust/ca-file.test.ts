// What sshd reads in a CA file, asked of real ones: what core/keys/ca-file.ts says is measured against it.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ODD_LINES, type OddLine, waysToWrite } from '../../ca-file-lines.ts'
import { describeTier } from '../../sshd/describe-tier.ts'
import { type Ca, type Certificate, makeCa } from '../../sshd/ssh-ca.ts'
import { machineTier } from '../harness/available.ts'
import { bootHost, type Host } from '../harness/host.ts'
import { login } from '../harness/login.ts'
import { suitesFor } from '../harness/share.ts'

const FILE = '/etc/another-owner/ca.pub'
const CONFIG = '/etc/ssh/sshd_config.d/other.conf'

describeTier('what sshd reads in a CA file', machineTier(), () => {
  describe.each(suitesFor({ slice: ['bookworm'] }))('%s', suite => {
    let host: Host
    let ca: Ca
    let certificate: Certificate
    let key: string
    beforeAll(async () => {
      ca = await makeCa()
      certificate = await ca.issue()
      key = ca.publicKey.split(' ').slice(0, 2).join(' ')
      host = await bootHost({
        suite,
        prepare: files => files.write(CONFIG, `TrustedUserCAKeys ${FILE}\n`),
      })
    })
    afterAll(async () => {
      await host?.stop()
      await ca?.[Symbol.asyncDispose]()
    })
    const isTrusted = async (...content: (string | Buffer)[]) => {
      await host.write(FILE, Buffer.concat(content.map(each => Buffer.from(each as string))))
      return (await login(host, { certificate })).outcome === 'accepted'
    }

    const readsOn = (line: OddLine) =>
      typeof line.readsOn === 'boolean' ? line.readsOn : line.readsOn.includes(suite)

    test('lines that it reads on behind, all in one file', async () => {
      const lines = ODD_LINES.filter(readsOn).flatMap(({ line }) => [line, '\n'])
      expect(lines.length).toBeGreaterThan(40)
      expect(await isTrusted(...lines, key)).toBe(true)
    })

    test('lines that it stops at, each alone', { timeout: 180_000 }, async () => {
      const trusted: string[] = []
      for (const { name, line } of ODD_LINES.filter(each => !readsOn(each))) {
        if (await isTrusted(line, '\n', key, '\n')) trusted.push(name)
      }
      expect(trusted).toEqual([])
    })

    test('each way to write a key', { timeout: 60_000 }, async () => {
      const seen: Record<string, boolean> = {}
      for (const { name, text } of waysToWrite(key)) seen[name] = await isTrusted(text)
      const said = waysToWrite(key).map(({ name, found }) => [name, found])
      expect(seen).toEqual(Object.fromEntries(said))
    })

    test.each([
      ['~/ca.pub', '/root/ca.pub'],
      ['"~/ca.pub"', '/root/ca.pub'],
      ['~alice/ca.pub', '/home/alice/ca.pub'],
      ['/etc/%u/ca.pub', '/etc/%u/ca.pub'],
      ['ca.pub', '/ca.pub'],
    ])('TrustedUserCAKeys %s is %s', async (name, path) => {
      await host.exec(`rm -f ${FILE}`)
      await host.write(CONFIG, `TrustedUserCAKeys ${name}\n`)
      await host.write(path, `${key}\n`)
      const { stdout } = await host.exec('cd / && sshd -T')
      expect(stdout.toLowerCase()).toContain(`trustedusercakeys ${path.replace('/ca.pub', '')}`)
      await host.exec('systemctl reset-failed ssh; systemctl restart ssh')
      expect((await login(host, { certificate })).outcome).toBe('accepted')
      await host.exec(['rm', path])
      expect((await login(host, { certificate })).outcome).toBe('refused')
    })
  })
})
