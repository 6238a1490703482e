import { expect, test } from 'vitest'
import { makeTestTls } from '../../control-plane/test-tls.ts'
import { describeTier } from '../../sshd/describe-tier.ts'
import { makeCa } from '../../sshd/ssh-ca.ts'
import { machineTier } from '../harness/available.ts'
import { suitesFor } from '../harness/share.ts'
import { bootWebhookHost } from '../hosts/webhook-host.ts'

const UNIT = 'pomerium-host-agent-webhook.service'

describeTier('the rotation webhook over TLS, on a booted host', machineTier(), () => {
  test.each(suitesFor({ slice: ['bookworm'] }))(
    '%s: with root’s own key, and not with another',
    async suite => {
      const [tls, other] = await Promise.all(
        ['a', 'b'].map(() => makeTestTls({ hosts: ['127.0.0.1'] })),
      )
      if (tls === undefined || other === undefined) throw new Error('no certificates')
      await using ca = await makeCa()
      await using it = await bootWebhookHost({ suite, tls })
      await it.publish(ca.publicKey)
      const { status, body } = await it.rotate()
      // The handshake takes its time: the look that the wake began with may have been the first.
      expect(body).toMatch(/"outcome":"(applied|unchanged)"/)
      expect([status, JSON.parse(body)]).toMatchObject([
        200,
        { trusted: [{ type: 'ssh-ed25519' }] },
      ])

      // A handshake that never comes is cut, and keeps nobody else out.
      const silent = it.host.exec(['bash', '-c', 'exec 3<>/dev/tcp/127.0.0.1/9444; cat <&3'])
      expect((await it.rotate()).status).toBe(200)
      await silent
      await it.host.exec(['systemctl', 'stop', UNIT])

      await it.host.write('/etc/pomerium/credentials/webhook-key.pem', other.key, { mode: 0o600 })
      await it.host.exec(['systemctl', 'start', UNIT], { allowFail: true })
      await it.host.waitFor('the end', async () => {
        const { ExecMainStatus } = await it.host.unitProperties(UNIT, ['ExecMainStatus'])
        return ExecMainStatus === '2'
      })
      const journal = await it.host.journal()
      expect(journal).toContain(
        'webhook.tls_key_file: /etc/pomerium/credentials/webhook-key.pem is',
      )
      for (const line of (tls.key + other.key).split('\n')) {
        if (line.length > 20 && !line.startsWith('-----')) expect(journal).not.toContain(line)
      }
    },
  )
})
