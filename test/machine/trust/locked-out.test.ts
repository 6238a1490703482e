import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { codeBlocks, readPage } from '../../docs/code-blocks.ts'
import { describeTier } from '../../sshd/describe-tier.ts'
import { type Ca, type CertificateShape, makeCa } from '../../sshd/ssh-ca.ts'
import { machineTier } from '../harness/available.ts'
import { login } from '../harness/login.ts'
import { suitesFor } from '../harness/share.ts'
import { type AgentHost, bootAgentHost, REVOKED } from '../hosts/agent-host.ts'

const PAGE = 'docs/guide/locked-out.md'

// What the page says that sshd says, by why a login fails.
const FAILURES: [why: string, says: string, shape: CertificateShape, user?: string][] = [
  ['a slow clock', 'Certificate invalid: not yet valid', { validity: '+1h:+2h' }],
  ['a fast clock', 'Certificate invalid: expired', { validity: '-2h:-1h' }],
  ['the name', 'Certificate invalid: name is not a listed principal', { principals: ['bob'] }],
  ['no account', 'Invalid user', { principals: ['nobodyhere'] }, 'nobodyhere'],
]
const UNTRUSTED = 'Connection closed by authenticating user'

describeTier('what docs/guide says of sshd’s log', machineTier(), () => {
  describe.each(suitesFor({ slice: ['bullseye'] }))('%s', suite => {
    let it: AgentHost
    let ca: Ca
    let stranger: Ca

    beforeAll(async () => {
      ;[ca, stranger, it] = await Promise.all([makeCa(), makeCa(), bootAgentHost({ suite })])
      await it.publish(ca.publicKey)
      await it.apply()
    })
    afterAll(async () => {
      await it?.stop()
      await ca?.[Symbol.asyncDispose]()
      await stranger?.[Symbol.asyncDispose]()
    })

    const logged = (text: string) =>
      it.host.waitFor(`sshd to say "${text}"`, async () => {
        return (await it.host.journal('ssh')).includes(text)
      })

    test.each(FAILURES)('%s', async (_, says, shape, user = 'alice') => {
      expect(readPage(PAGE)).toContain(`| \`${says}\``)
      const certificate = await ca.issue(shape)
      expect((await login(it.host, { certificate, user })).outcome).toBe('refused')
      await logged(says)
    })

    test('a CA that is not trusted', async () => {
      expect(readPage(PAGE)).toContain(`| \`${UNTRUSTED}\``)
      expect((await login(it.host, { ca: stranger })).outcome).toBe('refused')
      await logged(UNTRUSTED)
    })

    test('a key that is revoked, and a list that is gone', async () => {
      const [revoked, gone] = ['revoked by file', 'in revoked keys file']
      for (const says of [revoked, gone]) expect(readPage(PAGE)).toContain(`| \`${says}\``)
      await it.publish(ca.publicKey, `@revoked ${stranger.publicKey}`)
      await it.apply()
      expect((await login(it.host, { ca: stranger })).outcome).toBe('refused')
      await logged(revoked)
      await it.host.exec(`rm ${REVOKED}`)
      expect((await login(it.host, { ca })).outcome).toBe('refused')
      await logged(gone)
      await it.publish(ca.publicKey)
      await it.apply()
      expect((await login(it.host, { ca })).outcome).toBe('accepted')
    })

    test('after a compromise: logins by a CA are found in the log', async () => {
      expect((await login(it.host, { ca })).outcome).toBe('accepted')
      const line = codeBlocks(readPage('docs/guide/compromised-ca.md'))
        .map(({ text }) => text.trim())
        .find(text => text.startsWith('journalctl'))
      const found = await it.host.exec(line ?? '')
      expect(found.stdout).toContain(`CA ED25519 ${ca.fingerprint}`)
    })

    test('by hand, without the program: the drop-in removed, no certificate logs in', async () => {
      await it.host.exec('rm /etc/ssh/sshd_config.d/pomerium-ca.conf && sshd -t')
      await it.host.exec('systemctl restart ssh')
      expect((await login(it.host, { ca })).outcome).toBe('refused')
    })
  })
})
