import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parseBundle } from '../../../agent/core/bundle.ts'
import { OTHER_SECRET, SECRET, useWebhook } from '../../daemon/webhook/with-webhook.ts'
import { outcomeWith } from '../../publisher/notify/outcomes.ts'
import { NEW } from '../../publisher/rotate/world.ts'
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

  const proof = 'echo "Accepted publickey for alice CA ED25519 $POMERIUM_NEW_CA"'
  const done = await rotate('--prove-command', proof, '--json')
  expect(done.code).toBe(0)
  expect(JSON.parse(done.stdout)).toMatchObject({ end: 'done', leftBehind: [bad] })
  expect(readFileSync(path('bundle'), 'utf8')).toMatch(
    /^# serial: 6\n# issued: .*\nssh-ed25519 .*\n$/,
  )
  expect(readFileSync(path('published'), 'utf8')).toBe('\n\n')
  const kept = readFileSync(path('state.yaml'), 'utf8')
  expect(kept).toContain('step: done')
  expect(kept).not.toContain(SECRET.slice(6))

  writeFileSync(path('more'), `${good}\n${bad}\n127.0.0.1:9\n`)
  const more = await rotate('--hosts', path('more'))
  expect(more).toMatchObject({ code: 2, stderr: expect.stringContaining('lists other hosts') })

  // The same again is done already; another rotation wants another file.
  expect((await rotate(...beginning)).code).toBe(0)
  writeFileSync(path('third.pub'), `${FIRST}\n`)
  const other = await rotate('--new', path('third.pub'), '--bundle', path('bundle'))
  expect(other).toMatchObject({ code: 2, stderr: expect.stringContaining('another rotation') })
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

test('compromised: new alone at once, and who is still open to the old key', async () => {
  await using folder = await tempDir()
  const path = (name: string) => join(folder.path, name)
  writeFileSync(path('bundle'), `# serial: 4\n${FIRST}\n`)
  writeFileSync(path('new.pub'), `${OTHER}\n`)
  writeFileSync(path('secret'), SECRET)
  writeFileSync(path('hosts'), '127.0.0.1:9\n')
  const beginning = ['--state', path('state'), '--bundle', path('bundle'), '--new', path('new.pub')]
  const reaching = ['--hosts', path('hosts'), '--secret-file', path('secret'), '--timeout', '10s']
  const call = ['rotate', ...beginning, ...reaching, '--compromised', '--json']
  const { code, stdout } = await runBundle(call)
  expect(code).toBe(11)
  expect(JSON.parse(stdout)).toMatchObject({ end: 'switch', missing: ['127.0.0.1:9'] })
  expect(readFileSync(path('bundle'), 'utf8')).not.toContain(FIRST)
}, 60_000)

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
