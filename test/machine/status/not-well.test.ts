// Everything that is not well with a host, and what says so: each is made so, seen, and mended again.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { PrintedStatus } from '../../../agent/cli/host/render-status.ts'
import { describeTier } from '../../sshd/describe-tier.ts'
import { type Ca, makeCa } from '../../sshd/ssh-ca.ts'
import { machineTier } from '../harness/available.ts'
import { suitesFor } from '../harness/share.ts'
import { CA_FILE } from '../hosts/agent-host.ts'
import { bootWebhookHost, type WebhookHost } from '../hosts/webhook-host.ts'
import { FAULTS, QUIET, SERVICE, systemctl, WATCHED } from './faults.ts'

describeTier('a host that is not well, on a booted host', machineTier(), () => {
  describe.each(suitesFor({ slice: ['trixie'] }))('%s', suite => {
    let it: WebhookHost
    let ca: Ca
    beforeAll(async () => {
      ca = await makeCa()
      it = await bootWebhookHost({ suite })
      await it.publish(ca.publicKey)
      await it.host.exec(systemctl('start', SERVICE))
      await it.host.waitFor('a host that is well', async () => (await status()).well, 30_000)
    })
    afterAll(async () => {
      await it?.stop()
      await ca?.[Symbol.asyncDispose]()
    })

    const run = (user: string, ...flags: string[]) =>
      it.host.exec(['pomerium-host-agent', 'status', ...flags], { user, allowFail: true })
    const status = async (user = 'root') =>
      JSON.parse((await run(user, '--json')).stdout) as PrintedStatus
    const health = async () => {
      const curl = "curl -s -w '\\n%{http_code}' http://127.0.0.1:9444/healthz"
      const [body = '', code] = (await it.host.exec(curl)).stdout.trim().split(/\n+/)
      return { http: Number(code), ...(JSON.parse(body) as { code: string; ok: boolean }) }
    }
    const metric = async (name: string) => {
      const { stdout } = await it.host.exec('curl -sf http://127.0.0.1:9444/metrics')
      return new RegExp(`^pomerium_host_agent_${name} (\\S+)$`, 'm').exec(stdout)?.[1]
    }
    const wellAgain = async () => {
      await it.host.waitFor('a host that is well again', async () => (await status()).well, 30_000)
    }

    test('well is exit code 0, for root and for others; what others can not see is said', async () => {
      expect(await run('root')).toMatchObject({
        code: 0,
        stdout: expect.stringMatching(/^in-force: /),
      })
      const other = await run('alice')
      expect(other).toMatchObject({ code: 0, stdout: expect.stringMatching(/^in-force: /) })
      expect(other.stdout).toContain('not seen:\n')
      expect(other.stdout).toContain('what sshd uses (sshd -T)')
      expect(await health()).toMatchObject({ http: 200, ok: true, code: 'in-force' })
      expect(await metric('trust_effective')).toBe('1')
      expect(await metric('sshd_listening')).toBe('1')
    })

    test.each(FAULTS)('is said: $name', async fault => {
      await it.host.exec(fault.break)
      try {
        const screen = await run('root')
        const [first = ''] = screen.stdout.split('\n\n')
        expect(first.replaceAll(/\s+/g, ' ')).toMatch(fault.says)
        expect(screen.code).toBe(8)
        expect(screen.stdout.split('\n').filter(line => line.length > 80)).toEqual([])
        expect(await status()).toMatchObject({
          ...{ well: false, code: fault.code },
          findings: expect.arrayContaining([
            expect.objectContaining({ code: fault.also ?? fault.code }),
          ]),
        })
        if (fault.alice !== false) {
          const other = await run('alice', '--json')
          const report = { code: 8, well: false, says: fault.alice ?? fault.code }
          const { well, code: says } = JSON.parse(other.stdout) as PrintedStatus
          expect({ code: other.code, well, says }).toEqual(report)
        }
        if (fault.health !== undefined) {
          expect(await health()).toMatchObject({ http: 503, ok: false, code: fault.health })
        }
      } finally {
        await it.host.exec(fault.mend)
      }
      await wellAgain()
    })

    test('on a terminal the first line is red, and nowhere else', async () => {
      await it.host.exec(systemctl('stop', 'ssh.service'))
      const { stdout } = await it.host.exec(
        `TERM=xterm script -qec 'pomerium-host-agent status' /dev/null; true`,
      )
      expect(stdout.startsWith('\u001b[31msshd-down')).toBe(true)
      await it.host.exec(systemctl('start', 'ssh.service'))
    })

    test('every metric turns with what it tells', async () => {
      const scrape = async () => {
        const { stdout } = await it.host.exec('curl -sf http://127.0.0.1:9444/metrics')
        const lines = stdout.split('\n').filter(line => /^pomerium/.test(line))
        return new Map(lines.map(line => [line.replace(/ \S+$/, ''), line.split(' ').at(-1)]))
      }
      const own = (name: string) => `pomerium_host_agent_${name}`
      await using next = await makeCa('rsa', 'next')
      const before = await scrape()
      const soon = (ms: number) => new Date(Date.now() + ms).toISOString()
      const bundle = (serial: number, ...keys: string[]) => [
        ...[`# serial: ${serial}`, `# issued: ${soon(-60_000 * serial)}`],
        ...[`# expires: ${soon(86_400_000 * serial)}`, ...keys],
      ]
      await it.publish(...bundle(1, next.publicKey))
      expect((await it.apply()).code).toBe(0)
      const one = await scrape()
      await it.publish(...bundle(2, next.publicKey, ca.publicKey))
      expect((await it.apply()).code).toBe(0)
      const two = await scrape()
      const key = (fingerprint: string) =>
        [...two.keys()].find(name => name.includes(fingerprint)) ?? fingerprint
      expect([before.has(key(next.fingerprint)), one.has(key(next.fingerprint))]).toEqual([
        false,
        true,
      ])
      expect([one.has(key(ca.fingerprint)), two.has(key(ca.fingerprint))]).toEqual([false, true])
      const turned = (name: string) => one.get(own(name)) !== two.get(own(name))
      const names = [
        ...['trusted_keys', 'bundle_serial', 'bundle_issued_timestamp_seconds'],
        ...['bundle_expiry_timestamp_seconds', 'bundle_accepted_timestamp_seconds'],
        ...['last_success_timestamp_seconds', 'last_cycle_timestamp_seconds'],
        ...['trust_seen_timestamp_seconds', 'sshd_restarts_total'],
        'cycles_total{outcome="applied"}',
      ]
      expect(names.filter(name => !turned(name))).toEqual([])

      // A file that somebody changes again and again: counted, and then left alone.
      await it.host.exec(QUIET)
      for (let n = 0; n < 6; n++) {
        await it.host.exec(`chmod 644 ${CA_FILE}; pomerium-host-agent repair; true`)
      }
      const fought = await scrape()
      expect([two, fought].map(each => each.get(own('contested')))).toEqual(['0', '1'])
      expect(Number(fought.get(own('drift_repairs_total')))).toBeGreaterThanOrEqual(5)
      expect((await it.apply()).code).toBe(0)

      // So many changes that a restart is put off, however long each takes here.
      const limit = '/run/systemd/system/ssh.service.d/limit.conf'
      await it.host.write(limit, '[Unit]\nStartLimitIntervalSec=10min\n')
      await it.host.exec('systemctl daemon-reload')
      let serial = 2
      const deferred = async () => {
        serial += 1
        await it.publish(...bundle(serial, serial % 2 === 0 ? next.publicKey : ca.publicKey))
        return (await it.apply()).outcome.service?.action === 'deferred'
      }
      while (serial < 12 && !(await deferred()));
      const put = await scrape()
      await it.host.exec(`rm ${limit}; systemctl daemon-reload`)
      expect([two, put].map(each => each.get(own('sshd_restart_due')))).toEqual(['0', '1'])

      // The program is another one.
      const versions = (scraped: Map<string, unknown>) =>
        [...scraped.keys()].filter(name => name.startsWith(own('build_info')))
      const manifest = '/usr/local/lib/pomerium-host-agent/*/package.json'
      await it.host.exec(`cp ${manifest} /root/manifest; sed -i 's/"version": *"/&9/' ${manifest}`)
      await it.host.exec(systemctl('stop', SERVICE))
      expect(versions(await scrape())).not.toEqual(versions(put))
      await it.host.exec(`cat /root/manifest >$(ls ${manifest}); ${systemctl('stop', SERVICE)}`)

      // A source that is two minutes ahead.
      const body = bundle(serial + 1, ca.publicKey).join('\n')
      const head = `HTTP/1.1 200 OK\r\ndate: ${new Date(Date.now() + 120_000).toUTCString()}`
      const rest = `content-type: text/plain\r\ncontent-length: ${body.length}`
      await it.behave({ mode: 'raw', text: `${head}\r\n${rest}\r\n\r\n${body}` })
      await it.rotate()
      expect(Number((await scrape()).get(own('clock_skew_seconds')))).toBeGreaterThan(60)
      expect((await status()).findings.map(({ code }) => code)).toContain('clock-skew')
      await it.behave({ mode: 'normal' })
      await it.publish(...bundle(serial + 2, ca.publicKey))
      await it.rotate()
      await it.host.exec(`${WATCHED}; rm -f /var/lib/pomerium-host-agent/restarts.json`)
    })

    test('/metrics says that no key is in force while sshd is dead', async () => {
      await it.host.exec(systemctl('stop', 'ssh.service'))
      expect(await metric('trust_effective')).toBe('0')
      expect(await metric('sshd_listening')).toBe('0')
      await it.host.exec(systemctl('start', 'ssh.service'))
      expect(await metric('trust_effective')).toBe('1')
    })
  })
})
