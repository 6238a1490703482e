import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { describeTier } from '../../sshd/describe-tier.ts'
import { type Ca, makeCa } from '../../sshd/ssh-ca.ts'
import { machineTier } from '../harness/available.ts'
import { login } from '../harness/login.ts'
import { suitesFor } from '../harness/share.ts'
import { ourProcesses } from '../hosts/installed-host.ts'
import { bootWebhookHost, type WebhookHost } from '../hosts/webhook-host.ts'

describeTier('the rotation webhook, on a booted host', machineTier(), () => {
  describe.each(suitesFor({ slice: ['bullseye'] }))('%s', suite => {
    let it: WebhookHost
    let first: Ca
    let second: Ca
    beforeAll(async () => {
      ;[first, second] = await Promise.all([makeCa(), makeCa()])
      it = await bootWebhookHost({ suite })
      await it.publish(first.publicKey)
      await it.host.exec('systemctl start pomerium-host-agent.service')
      await it.host.waitFor('the first CA', async () => (await outcomeOf(first)) === 'accepted')
    })
    afterAll(async () => {
      await it?.stop()
      await first?.[Symbol.asyncDispose]()
      await second?.[Symbol.asyncDispose]()
    })
    const outcomeOf = async (ca: Ca) => (await login(it.host, { ca })).outcome
    const asleep = () =>
      it.host.waitFor('sleep', async () => (await ourProcesses(it)).length === 0, 120_000)

    test('wakes a host that sleeps: 200 with the outcome, the new CA in, the old one out', async () => {
      // As the minute after the last request would do.
      await it.host.exec(
        'systemctl stop pomerium-host-agent-webhook.service pomerium-host-agent-provisioner.service',
      )
      // A poll may be at work.
      await asleep()
      await it.publish(second.publicKey)
      const { status, body } = await it.rotate()
      expect(status).toBe(200)
      expect(JSON.parse(body)).toMatchObject({
        outcome: 'applied',
        trusted: [{ fingerprint: second.fingerprint }],
      })
      expect([await outcomeOf(first), await outcomeOf(second)]).toEqual(['refused', 'accepted'])
    })

    test('is refused when forged, stale or replayed, and tells nothing', async () => {
      const forged = it.sign('{}', new Date(), `whsec_${Buffer.alloc(32).toString('base64')}`)
      const stale = it.sign('{}', new Date(Date.now() - 10 * 60_000))
      const good = it.sign('{}')
      expect((await it.rotate(good)).status).toBe(200)
      for (const headers of [forged, stale, good, {}]) {
        expect((await it.rotate(headers)).status).toBe(401)
      }
      const unit = '_SYSTEMD_UNIT=pomerium-host-agent-webhook.service'
      const { stdout } = await it.host.exec(`journalctl --boot --output cat --quiet ${unit}`)
      const refusals = stdout.split('\n').filter(line => line.includes('webhook-refused'))
      // One in ten seconds, whatever knocks.
      expect(refusals).toHaveLength(1)
      expect(JSON.parse(refusals[0] ?? '')).toMatchObject({
        ...{ level: 'warn', event: 'webhook-refused', status: 401, from: '127.0.0.1' },
      })
    })

    test('answers for health and for Prometheus', async () => {
      const health = await it.host.exec('curl -sf http://127.0.0.1:9444/healthz')
      expect(JSON.parse(health.stdout)).toMatchObject({ ok: true })
      const { stdout } = await it.host.exec('curl -sf http://127.0.0.1:9444/metrics')
      expect(stdout).toContain(`fingerprint="${second.fingerprint}"`)
      expect(stdout).toContain('pomerium_host_agent_trust_effective 1')
    })

    test('its secret is nowhere but in its file', async () => {
      const secret = it.secret.replace('whsec_', '')
      const places = '/proc/[0-9]*/cmdline /proc/[0-9]*/environ /var /run/pomerium* /tmp /etc'
      const grep = `grep -rlF -f - ${places} --exclude-dir=credentials 2>/dev/null`
      const found = await it.host.exec(grep, { allowFail: true, input: secret })
      expect(found.stdout).toBe('')
      expect(await it.host.journal()).not.toContain(secret)
    })

    test('a replay is known again after sleep, and sleep comes', async () => {
      const headers = it.sign('{}')
      expect((await it.rotate(headers)).status).toBe(200)
      await asleep()
      expect((await it.rotate(headers)).status).toBe(401)
    })
  })
})
