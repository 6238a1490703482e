import {
  chmodSync,
  chownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { parseBundle } from '../../../agent/core/bundle/bundle.ts'
import { OTHER_SECRET, SECRET, useWebhook } from '../../daemon/webhook/with-webhook.ts'
import { outcomeWith } from '../../publisher/notify/outcomes.ts'
import { NEW, OLD } from '../../publisher/rotate/world.ts'
import { FIRST, OTHER } from '../../publisher/serve/with-server.ts'
import { generateKey } from '../../sshd/ssh-ca.ts'
import { tempDir } from '../../sshd/temp-dir.ts'
import { runBundle } from './run-bundle.ts'

test('one command, called until it is done; each stop says what to do', async () => {
  await using folder = await tempDir()
  const path = (name: string) => join(folder.path, name)
  writeFileSync(path('bundle'), `# serial: 4\n${FIRST}\n`)
  writeFileSync(path('new.pub'), `${OTHER}\n`)
  writeFileSync(path('secret'), SECRET)
  // Hosts that trust at once what is served.
  const hint = async () => {
    const bundle = parseBundle(readFileSync(path('bundle')))
    if (bundle.kind === 'refused') throw new Error(bundle.message)
    const { serial = 0, keys } = bundle
    const fingerprints = keys.map(({ fingerprint }) => fingerprint)
    return outcomeWith('applied', fingerprints, { serial })
  }
  const hosts = [await useWebhook({ hint }), await useWebhook({ hint, secrets: [OTHER_SECRET] })]
  const [good = '', bad = ''] = hosts.map(({ port }) => `127.0.0.1:${port}`)
  writeFileSync(path('hosts'), `${good}\n${bad}\n`)
  const state = ['--state', path('state.yaml')]
  const beginning = ['--bundle', path('bundle'), '--new', path('new.pub'), '--hosts', path('hosts')]
  const publish = ['--publish-command', `echo >> ${path('published')}`]
  const rotate = (...args: string[]) => runBundle(['rotate', ...state, ...args])

  const first = await rotate(...beginning, ...publish, '--secret-file', path('secret'))
  expect(first).toMatchObject({ code: 9, stderr: '' })
  expect(first.stdout).toContain(`--leave-behind ${bad}`)

  const left = await rotate('--leave-behind', bad)
  expect(left.code).toBe(11)
  expect(left.stdout).toContain('ssh_user_ca_key_file')
  expect(left.stdout).toContain('--switched')

  const switched = await rotate('--switched')
  expect(switched.code).toBe(11)
  expect(switched.stdout).toContain(`must say: ${NEW.fingerprint}`)
  // A login that works, and says nothing of which CA it was.
  const vague = await rotate('--prove-command', 'echo welcome')
  expect(vague.code).toBe(11)
  expect(vague.stdout).toContain('does not name the new CA')

  writeFileSync(path('more'), `${good}\n${bad}\n127.0.0.1:9\n`)
  const more = await rotate('--hosts', path('more'))
  expect(more).toMatchObject({ code: 2, stderr: expect.stringContaining('lists other hosts') })

  // Who was left behind is asked again, and it is not done without it.
  const proof = 'echo "Accepted publickey for alice CA ED25519 $POMERIUM_NEW_CA"'
  const behind = await rotate('--prove-command', proof, '--json')
  expect(behind.code).toBe(9)
  expect(JSON.parse(behind.stdout)).toMatchObject({
    end: 'hosts-missing',
    step: 'confirm-new',
    leftBehind: [bad],
    missing: [bad],
    hosts: [
      { host: good, state: 'converged', trusted: [{ fingerprint: NEW.fingerprint }] },
      { host: bad, state: 'failed', code: 'unauthorized' },
    ],
  })
  expect(readFileSync(path('bundle'), 'utf8')).toMatch(
    /^# serial: 6\n# issued: .*\nssh-ed25519 .*\n$/,
  )
  expect(readFileSync(path('published'), 'utf8')).toBe('\n\n')
  const kept = readFileSync(path('state.yaml'), 'utf8')
  expect(kept).not.toContain(SECRET.slice(6))
  const named = await rotate()
  expect(named.code).toBe(9)
  expect(named.stdout).toContain('not done')
  expect(named.stdout).toMatch(new RegExp(`^${good} +converged +new$`, 'm'))
  expect(named.stdout).toMatch(new RegExp(`^${bad} +failed +not known\n {4}unauthorized: `, 'm'))
  expect(named.stdout).not.toContain('--leave-behind')

  // It has the secret now.
  writeFileSync(path('secret'), `${SECRET}\n${OTHER_SECRET}\n`)
  const done = await rotate()
  expect(done).toMatchObject({ code: 0, stdout: expect.stringContaining('done: 2 of 2 hosts') })
  const [filed = ''] = readdirSync(folder.path).filter(name => /^state-.*-done\.yaml$/.test(name))
  expect(done.stdout).toContain(filed)
  expect(readFileSync(path(filed), 'utf8')).toContain('step: done')
  expect(readdirSync(folder.path)).not.toContain('state.yaml')

  // Called again, by whoever was killed before he read it: it is done, whatever is said with it.
  for (const args of [[], beginning, ['--proved']]) {
    const again = await rotate(...args, '--json')
    expect(again.code).toBe(0)
    expect(JSON.parse(again.stdout)).toMatchObject({ end: 'done', filed: path(filed), missing: [] })
  }
  expect((await rotate()).stdout).toContain('To begin another')
  // A host that was never asked is not said to be done.
  const wider = await rotate(...beginning, '--hosts', path('more'))
  expect(wider).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('no key but the new one'),
  })
  // For another key it is another rotation; and where something else is published by now, none.
  writeFileSync(path('third.pub'), `${FIRST}\n`)
  const other = ['--new', path('third.pub'), '--bundle', path('bundle'), '--hosts', path('hosts')]
  const next = await rotate(...other, '--secret-file', path('secret'))
  expect(next).toMatchObject({ code: 11, stdout: expect.stringContaining('--switched') })
  rmSync(path('state.yaml'))
  const none = await rotate()
  expect(none).toMatchObject({ code: 2, stderr: expect.stringContaining('there is no rotation') })
})

test('where the bundle is signed, both editions are, by the key that is named at the beginning', async () => {
  await using folder = await tempDir()
  const path = (name: string) => join(folder.path, name)
  writeFileSync(path('bundle'), `# serial: 4\n${FIRST}\n`)
  writeFileSync(path('new.pub'), `${OTHER}\n`)
  writeFileSync(path('secret'), SECRET)
  await generateKey(path('signer'), 'ed25519')
  const [type, blob] = readFileSync(path('signer.pub'), 'utf8').trim().split(' ')
  writeFileSync(path('signers'), `ops@example.com namespaces="pomerium-user-ca" ${type} ${blob}\n`)
  const signed = await runBundle([
    'sign',
    '--key',
    path('signer'),
    '--output',
    path('bundle'),
    path('bundle'),
  ])
  expect(signed.code).toBe(0)
  const beginning = ['--state', path('state'), '--bundle', path('bundle'), '--new', path('new.pub')]
  const reaching = ['--hosts', path('hosts'), '--secret-file', path('secret'), '--timeout', '10s']
  writeFileSync(path('hosts'), '127.0.0.1:9\n')

  const unsigned = await runBundle(['rotate', ...beginning, ...reaching])
  expect(unsigned).toMatchObject({ code: 2, stderr: expect.stringContaining('--sign-key') })
  const key = ['--sign-key', path('signer')]
  expect((await runBundle(['rotate', ...beginning, ...reaching, ...key])).code).toBe(9)
  const verified = await runBundle(['verify', '--signers', path('signers'), path('bundle')])
  expect(verified).toMatchObject({ code: 0, stdout: expect.stringContaining('ops@example.com') })
  expect(readFileSync(path('state'), 'utf8').match(/BEGIN SSH SIGNATURE/g)).toHaveLength(2)
}, 60_000)

test('compromised: one adopts the stolen key, one is left behind, one lies: never done', async () => {
  await using folder = await tempDir()
  const path = (name: string) => join(folder.path, name)
  writeFileSync(path('bundle'), `# serial: 4\n${FIRST}\n`)
  writeFileSync(path('new.pub'), `${OTHER}\n`)
  writeFileSync(path('secret'), SECRET)
  let adopts = true
  const outcome = (adopted: boolean) => {
    const revoked = outcomeWith('applied', [OLD.fingerprint]).trusted
    const told = outcomeWith('applied', [NEW.fingerprint], { serial: 5, revoked })
    const [old] = revoked
    const key = { ...old, adopted: '/etc/ssh/team.pub' } as (typeof told.trusted)[0]
    return adopted ? { ...told, trusted: [...told.trusted, key] } : told
  }
  const good = await useWebhook({ hint: async () => outcome(false) })
  const adopting = await useWebhook({ hint: async () => outcome(adopts) })
  const deaf = await useWebhook({ secrets: [OTHER_SECRET] })
  // It says what a host would say, and has no secret to sign it with.
  const liar = createServer((_, response) => response.end(JSON.stringify(outcome(false))))
  await new Promise<void>(resolve => liar.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void liar.close())
  const at = (port: number) => `127.0.0.1:${port}`
  const names = [
    at(good.port),
    at(adopting.port),
    at((liar.address() as AddressInfo).port),
    at(deaf.port),
  ]
  const [, adopter = '', lying = '', away = ''] = names
  writeFileSync(path('hosts'), names.join('\n'))
  const state = ['--state', path('state'), '--timeout', '10s']
  const beginning = ['--bundle', path('bundle'), '--new', path('new.pub'), '--compromised']
  const reaching = ['--hosts', path('hosts'), '--secret-file', path('secret')]
  const rotate = (...args: string[]) => runBundle(['rotate', ...state, ...args])

  const first = await rotate(...beginning, ...reaching)
  expect(first.code).toBe(11)
  const lines = readFileSync(path('bundle'), 'utf8').split('\n')
  expect(lines).not.toContain(FIRST)
  expect(lines).toContain(`@revoked ${FIRST}`)
  // What to do is said once, and before the hosts are waited for; nothing that is true of two keys.
  expect(first.stdout.match(/Switch Pomerium now/g)).toHaveLength(1)
  expect(first.stdout.indexOf('Switch Pomerium now')).toBeLessThan(first.stdout.indexOf('HOST'))
  expect(first.stdout).not.toMatch(/both|taken away only/)
  const rows = [
    `${adopter} +failed`,
    `${lying} +failed +not known\n {4}answer-unsigned`,
    `${away} +failed +not known\n {4}unauthorized`,
  ]
  for (const row of rows) expect(first.stdout).toMatch(new RegExp(`^${row}`, 'm'))

  const again = await rotate('--json')
  expect(again.code).toBe(11)
  const missing = [adopter, lying, away]
  expect(JSON.parse(again.stdout)).toMatchObject({
    end: 'switch',
    missing,
    keys: { old: [OLD.fingerprint] },
  })
  const proving = await rotate('--switched')
  expect(proving.code).toBe(11)
  expect(proving.stdout).not.toMatch(/both|taken away only/)
  expect(proving.stdout).toContain(away)

  const left = missing.flatMap(host => ['--leave-behind', host])
  for (const args of [['--proved'], left, []]) {
    const { code, stdout } = await rotate(...args, '--json')
    expect(code).toBe(9)
    expect(JSON.parse(stdout)).toMatchObject({
      end: 'hosts-missing',
      missing,
      hosts: [
        { state: 'converged' },
        { code: 'old-key-trusted', trusted: [{}, { adopted: '/etc/ssh/team.pub' }] },
        { code: 'answer-unsigned' },
        { code: 'unauthorized' },
      ],
    })
  }
  adopts = false
  const named = await rotate()
  expect(named.code).toBe(9)
  expect(named.stdout).toContain('2 hosts are not known to be without the old key')
  for (const line of named.stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80)
}, 120_000)

test('a state that somebody else could have written is not gone on with, and none of it is run', async () => {
  await using folder = await tempDir()
  const path = (name: string) => join(folder.path, name)
  writeFileSync(path('bundle'), `# serial: 4\n${FIRST}\n`)
  writeFileSync(path('new.pub'), `${OTHER}\n`)
  writeFileSync(path('secret'), SECRET)
  writeFileSync(path('hosts'), '127.0.0.1:9\n')
  mkdirSync(path('dir'))
  const state = path('dir/state.yaml')
  const beginning = ['--bundle', path('bundle'), '--new', path('new.pub'), '--hosts', path('hosts')]
  const more = ['--secret-file', path('secret'), '--timeout', '10s']
  const publish = ['--publish-command', `echo >> ${path('ran')}`]
  const rotate = (...args: string[]) => runBundle(['rotate', '--state', state, ...args])

  chmodSync(path('dir'), 0o777)
  const open = await rotate(...beginning, ...more, ...publish)
  expect(open).toMatchObject({ code: 2, stderr: expect.stringContaining('chmod go-w') })
  expect(readdirSync(path('dir'))).toEqual([])
  chmodSync(path('dir'), 0o755)
  expect((await rotate(...beginning, ...more, ...publish)).code).toBe(9)
  const ran = () => readFileSync(path('ran'), 'utf8').length
  expect([statSync(state).mode & 0o777, ran()]).toEqual([0o600, 1])

  // It begins with a command, should it be gone on with.
  const text = readFileSync(state, 'utf8').replace('step: confirm-both', 'step: publish-both')
  const sabotages: [told: string, () => void][] = [
    ['chmod go-w', () => chmodSync(state, 0o620)],
    ['chmod go-w', () => chmodSync(state, 0o602)],
    ['chmod go-w', () => chmodSync(path('dir'), 0o775)],
    ['chmod go-w', () => chmodSync(folder.path, 0o777)],
    ['belongs to user 65534', () => chownSync(state, 65534, 0)],
    ['belongs to user 65534', () => chownSync(path('dir'), 65534, 0)],
    [
      'is a link',
      () => {
        renameSync(state, path('elsewhere'))
        symlinkSync(path('elsewhere'), state)
      },
    ],
    [
      'is no file',
      () => {
        rmSync(state)
        mkdirSync(state)
      },
    ],
  ]
  for (const [told, sabotage] of sabotages) {
    rmSync(path('dir'), { recursive: true })
    mkdirSync(path('dir'))
    chmodSync(folder.path, 0o700)
    writeFileSync(state, text, { mode: 0o600 })
    sabotage()
    const { code, stderr } = await rotate()
    expect([told, code, stderr]).toEqual([told, 2, expect.stringContaining(told)])
  }
  expect(ran()).toBe(1)
}, 120_000)

test('no folder for the state, or one that can’t be written', async () => {
  await using folder = await tempDir()
  const missing = await runBundle(['rotate', '--state', join(folder.path, 'none/state.yaml')])
  expect(missing).toMatchObject({ code: 2, stderr: expect.stringContaining('there is no folder') })
  const under = await runBundle(['rotate', '--state', '/dev/null/state.yaml'])
  expect(under.code).toBe(2)
})

test.each([
  ['nothing to begin with', [], 'there is no rotation'],
  [
    'a state of something else',
    ['--state', join(import.meta.dirname, 'rotate.test.ts')],
    'is no rotation',
  ],
])('%s', async (_, args, told) => {
  await using folder = await tempDir()
  const state = args.length > 0 ? [] : ['--state', join(folder.path, 'state.yaml')]
  const { code, stderr } = await runBundle(['rotate', ...state, ...args])
  expect([code, stderr]).toEqual([2, expect.stringContaining(told)])
})
