import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Behaviour } from '../../control-plane/behaviour.ts'
import { REFUSED_FORMS } from '../../refused-forms.ts'
import { describeTier } from '../../sshd/describe-tier.ts'
import { type Ca, makeCa } from '../../sshd/ssh-ca.ts'
import { machineTier } from '../harness/available.ts'
import { login } from '../harness/login.ts'
import { type AgentHost, bootAgentHost, CA_FILE } from '../hosts/agent-host.ts'

describeTier('a source that serves no good bundle', machineTier(), () => {
  let it: AgentHost
  let ca: Ca
  let untouched: object

  beforeAll(async () => {
    ca = await makeCa()
    it = await bootAgentHost({ suite: 'bookworm' })
    await it.publish(ca.publicKey)
    expect((await it.apply()).code).toBe(0)
    untouched = await ofSshd()
  })
  afterAll(async () => {
    expect((await login(it.host, { ca })).outcome).toBe('accepted')
    await it.stop()
    await ca[Symbol.asyncDispose]()
  })

  /** Everything of the host but the report of the last cycle, which says why it was refused. */
  const ofSshd = async () => {
    const { host } = it
    const names = ['ActiveEnterTimestampMonotonic', 'MainPID'] as const
    return {
      ssh: await host.snapshot('/etc/ssh'),
      lib: await host.snapshot('/var/lib/pomerium'),
      state: await host.snapshot('/var/lib/pomerium-host-agent'),
      file: await host.stat(CA_FILE),
      unit: await host.unitProperties('ssh.service', names),
    }
  }

  describe('refused, exit 4, nothing written', () => {
    test.each(REFUSED_FORMS)('$what', async ({ code, line, text }) => {
      await it.publishBytes(Buffer.from(text as string))
      const ended = await it.apply()
      expect(ended).toMatchObject({ code: 4, outcome: { outcome: 'refused', code } })
      // A web page is known before its lines are looked at.
      if (code !== 'html') expect(ended.outcome.line).toBe(line)
      expect(ended.outcome.trusted).toMatchObject([{ fingerprint: ca.fingerprint }])
      expect(await ofSshd()).toEqual(untouched)
    })

    test('and a private key is neither written nor logged', async () => {
      const secret = readFileSync(ca.privateKey, 'utf8')
      await it.publishBytes(Buffer.from(secret))
      const shown = await it.agent('apply')
      expect(shown.code).toBe(4)
      expect(shown.stdout).toContain('PRIVATE')
      const [, , middle = ''] = secret.split('\n')
      const everywhere = ['grep', '-rlF', middle, '/etc', '/var', '/run', '/tmp', '/root']
      expect(await it.host.exec(everywhere, { allowFail: true })).toMatchObject({ stdout: '' })
      expect(shown.stdout + shown.stderr + (await it.host.journal())).not.toContain(middle)
    })
  })

  describe('unavailable, with a message that says what to do', () => {
    test.each<[name: string, exit: number, code: string, behaviour: Behaviour]>([
      ['401', 3, 'unauthorized', { mode: 'status', status: 401 }],
      ['404', 3, 'not-found', { mode: 'status', status: 404 }],
      ['500', 3, 'server-error', { mode: 'status', status: 500 }],
      ['a redirect', 3, 'redirect', { mode: 'redirect', location: 'https://elsewhere.example/' }],
      ['HTML', 4, 'html', { mode: 'html' }],
      ['an endless body', 4, 'too-large', { mode: 'endless' }],
      ['a slow body', 3, 'timeout', { mode: 'drip', everyMs: 2000 }],
      ['a body cut off', 3, 'unreachable', { mode: 'hang-up', afterBytes: 20 }],
    ])('%s', async (_, exit, code, behaviour) => {
      await it.publish(ca.publicKey, '# a longer one')
      await it.behave(behaviour)
      const { code: exited, outcome } = await it.apply()
      expect({ exited, code: outcome.code }).toEqual({ exited: exit, code })
      expect(outcome.message).toMatch(/\. [A-Z].*\.$/s)
      expect(await ofSshd()).toEqual(untouched)
      await it.behave({ mode: 'normal' })
    })

    test('down', async () => {
      await it.stopControlPlane()
      expect(await it.apply()).toMatchObject({ code: 3, outcome: { code: 'unreachable' } })
      expect(await ofSshd()).toEqual(untouched)
    })
  })
})
