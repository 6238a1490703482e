import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runBundle } from '../cli/bundle/run-bundle.ts'
import { newKeyLine } from '../ssh-keys.ts'
import { describeTier } from './describe-tier.ts'
import { generateKey, type KeyType } from './ssh-ca.ts'
import { sshKeygenVerify } from './ssh-keygen-verify.ts'
import { type TempDir, tempDir } from './temp-dir.ts'
import { findTools } from './tools.ts'

const NAMESPACE = 'pomerium-user-ca'
const TYPES: KeyType[] = ['ed25519', 'ecdsa', 'rsa']

describeTier('bundles signed here and by plain ssh-keygen', findTools(), () => {
  let folder: TempDir
  const at = (name: string) => join(folder.path, name)
  const verify = (bundle: string) =>
    runBundle(['verify', '--json', '--signers', at('signers')], { input: bundle })

  beforeAll(async () => {
    folder = await tempDir()
    for (const type of TYPES) await generateKey(at(type), type, `ops-${type}`)
    await generateKey(at('ca'), 'ed25519', 'user-ca')
    const lines = TYPES.map(
      type =>
        `${type}@example.com namespaces="${NAMESPACE}" ${readFileSync(at(`${type}.pub`), 'utf8')}`,
    )
    writeFileSync(at('signers'), lines.join(''))
    await runBundle(['create', '--serial', '1', '-o', at('bundle'), at('ca.pub')])
  })
  afterAll(() => folder[Symbol.asyncDispose]())

  describe.each(TYPES)('%s', type => {
    test('cat and ssh-keygen -Y sign make what we verify', async () => {
      const text = readFileSync(at('bundle'), 'utf8')
      const args = ['-Y', 'sign', '-f', at(type), '-n', NAMESPACE]
      const { stdout } = await execa('ssh-keygen', args, { input: text })
      const verified = await verify(`${text}${stdout}\n`)
      expect(verified.code).toBe(0)
      expect(JSON.parse(verified.stdout)).toMatchObject({
        outcome: 'verified',
        signer: { principal: `${type}@example.com` },
        serial: 1,
      })
    })

    test('bundle sign makes what ssh-keygen -Y verify takes', async () => {
      const signed = await runBundle(['sign', '--key', at(type), at('bundle')])
      expect(signed.code).toBe(0)
      const verdict = await sshKeygenVerify(signed.stdout, at('signers'), `${type}@example.com`)
      expect(verdict).toBe(true)
      const other = type === 'rsa' ? 'ecdsa' : 'rsa'
      expect(await sshKeygenVerify(signed.stdout, at('signers'), `${other}@example.com`)).toBe(
        false,
      )
      expect((await verify(signed.stdout)).code).toBe(0)
    })
  })

  test('signing again replaces the signature; to who holds the bundle it is the same', async () => {
    const once = await runBundle(['sign', '--key', at('rsa'), at('bundle')])
    const twice = await runBundle(['sign', '--key', at('ed25519')], { input: once.stdout })
    expect(twice.stdout.match(/BEGIN SSH SIGNATURE/g)).toHaveLength(1)
    expect(twice.stderr).not.toContain('warning')
    writeFileSync(at('once'), once.stdout)
    const same = await runBundle(['diff', at('once'), '-'], { input: twice.stdout })
    expect(same.stdout).not.toContain('would not take')
    const verified = await verify(twice.stdout)
    expect(JSON.parse(verified.stdout)).toMatchObject({
      signer: { principal: 'ed25519@example.com' },
    })
  })

  test('a key that only ssh-agent holds signs by its .pub', async () => {
    await using agent = await startAgent(at('agent.sock'))
    await generateKey(at('held'), 'ed25519')
    await execa('ssh-add', ['-q', at('held')], { env: agent.env })
    await execa('rm', [at('held')])
    const args = ['sign', '--key', at('held.pub'), at('bundle')]
    const signed = await runBundle(args, { env: agent.env })
    expect(signed.code).toBe(0)
    expect((await verify(signed.stdout)).stdout).toContain('unknown-signer')
    const without = await runBundle(args, { env: { SSH_AUTH_SOCK: at('nowhere.sock') } })
    expect(without).toMatchObject({ code: 2, stdout: '' })
  })

  test('of a private key only the public half comes out', async () => {
    const made = await runBundle(['create', '--serial', '2', at('ca')])
    expect(made.code).toBe(0)
    expect(made.stdout).toContain(readFileSync(at('ca.pub'), 'utf8').trim())
    const [, secret = ''] = readFileSync(at('ca'), 'utf8').split('\n')
    expect(made.stdout + made.stderr).not.toContain(secret)
  })

  test('an encrypted key, one that others can read, one that is none: said, without a window', async () => {
    await execa('ssh-keygen', ['-q', '-t', 'ed25519', '-N', 'a secret', '-f', at('locked')])
    await generateKey(at('open'), 'ed25519')
    chmodSync(at('open'), 0o644)
    writeFileSync(at('spoilt'), readFileSync(at('ca'), 'utf8').slice(0, 200), { mode: 0o600 })
    const says = [
      ['locked', 'encrypted'],
      ['open', 'chmod 600'],
      ['spoilt', 'spoilt'],
    ] as const
    for (const [name, words] of says) {
      for (const args of [
        ['create', at(name)],
        ['sign', '--key', at(name), at('bundle')],
      ]) {
        const ended = await runBundle(args)
        expect(ended).toMatchObject({ code: 2, stdout: '' })
        expect(ended.stderr).toContain(words)
      }
    }
    expect(statSync(at('open')).mode & 0o777).toBe(0o644)
  })

  test('verify refuses as a host does, with the code', async () => {
    const unsigned = readFileSync(at('bundle'), 'utf8')
    expect(await verify(unsigned)).toMatchObject({
      code: 4,
      stdout: expect.stringContaining('unsigned'),
    })
    const { stdout } = await runBundle(['sign', '--key', at('rsa'), at('bundle')])
    const changed = await verify(stdout.replace('user-ca', 'other-ca'))
    expect(JSON.parse(changed.stdout)).toMatchObject({ outcome: 'refused', code: 'bad-signature' })
    writeFileSync(at('wrong'), `ops cert-authority ${newKeyLine('ed25519')}\n`)
    const wrong = await runBundle(['verify', '--signers', at('wrong')], { input: stdout })
    expect(wrong.code).toBe(2)
    expect(wrong.stderr).toContain(`${at('wrong')}:1: cert-authority`)
  })

  test('verify asks the ssh-keygen of the operator’s shell as well, and its no is a no', async () => {
    const { stdout } = await runBundle(['sign', '--key', at('rsa'), at('bundle')])
    const asked = (PATH: string) =>
      runBundle(['verify', '--json', '--signers', at('signers')], { input: stdout, env: { PATH } })
    mkdirSync(at('bin'), { recursive: true })
    writeFileSync(at('bin/ssh-keygen'), '#!/bin/sh\nexit 255\n', { mode: 0o755 })
    expect(await asked(at('bin'))).toMatchObject({
      code: 4,
      stdout: expect.stringContaining('verifiers-disagree'),
    })
    const alone = await asked(at('nowhere'))
    expect(alone).toMatchObject({ code: 0, stderr: expect.stringContaining('this program alone') })
    expect((await verify(stdout)).stderr).toBe('')
  })

  test('show says whose key signed, and whether the signature is whole', async () => {
    const { stdout, stderr } = await runBundle(['sign', '--key', at('rsa'), at('bundle')])
    const fingerprint = stderr.trim().split(' ').at(-1) ?? ''
    const shown = await runBundle(['show', '--json'], { input: stdout })
    expect(JSON.parse(shown.stdout)).toMatchObject({ signature: { fingerprint } })
    const broken = await runBundle(['show'], { input: stdout.replace('serial: 1', 'serial: 9') })
    expect(broken.stdout).toContain('BROKEN: bad-signature')
  })
})

async function startAgent(socket: string) {
  const { stdout } = await execa('ssh-agent', ['-s', '-a', socket])
  const pid = Number(/SSH_AGENT_PID=(\d+)/.exec(stdout)?.[1])
  return {
    env: { SSH_AUTH_SOCK: socket },
    async [Symbol.asyncDispose]() {
      process.kill(pid)
    },
  }
}
