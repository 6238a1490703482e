import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parseBundle } from '../../../agent/core/bundle/bundle.ts'
import { newKeyLine } from '../../ssh-keys.ts'
import { type TempDir, tempDir } from '../../sshd/temp-dir.ts'
import { runBundle } from './run-bundle.ts'

let folder: TempDir
const at = (name: string) => join(folder.path, name)
const OLD = `${newKeyLine('ed25519')} ca-old`
const NEW = `${newKeyLine('p384')} ca-new`
const escaped = (text: string) => text.replace(/[+/.]/g, '\\$&')

beforeAll(async () => {
  folder = await tempDir()
  writeFileSync(at('old.pub'), `${OLD}\n`)
  writeFileSync(at('new.pub'), `${NEW}\n`)
})
afterAll(() => folder[Symbol.asyncDispose]())

describe('bundle create', () => {
  test('writes headers and keys that a host takes, and show reads them back', async () => {
    const flags = ['--serial', '7', '--issued', '2026-11-20T10:00:00Z', '--valid-for', '3650d']
    const made = await runBundle(['create', ...flags, at('old.pub'), at('new.pub')])
    expect(made).toMatchObject({ code: 0, stderr: '' })
    expect(made.stdout).toBe(
      `# serial: 7\n# issued: 2026-11-20T10:00:00Z\n# expires: 2036-11-17T10:00:00Z\n${OLD}\n${NEW}\n`,
    )
    const shown = await runBundle(['show', '--json'], { input: made.stdout })
    expect(JSON.parse(shown.stdout)).toMatchObject({
      serial: 7,
      expires: '2036-11-17T10:00:00Z',
      keys: [{ comment: 'ca-old' }, { comment: 'ca-new', type: 'ecdsa-sha2-nistp384' }],
    })
    const screen = await runBundle(['show'], { input: made.stdout })
    expect(screen.stdout).toMatch(/^serial +7\n/)
  })

  test('puts the file in place readable by a web server, and takes a key once', async () => {
    const made = await runBundle(['create', '-o', at('bundle'), at('old.pub'), at('old.pub')])
    expect(made).toMatchObject({ code: 0, stdout: '' })
    expect(made.stderr).toContain('no --serial')
    expect(statSync(at('bundle')).mode & 0o777).toBe(0o644)
    expect(parseBundle(readFileSync(at('bundle')))).toMatchObject({ keys: { length: 1 } })
  })

  test('revokes keys, which show, diff and the next bundle tell of', async () => {
    const made = await runBundle([
      'create',
      '--serial',
      '2',
      '--revoke',
      at('old.pub'),
      at('new.pub'),
    ])
    expect(made).toMatchObject({ code: 0, stderr: '' })
    expect(made.stdout).toMatch(new RegExp(`\n${escaped(NEW)}\n@revoked ${escaped(OLD)}\n$`))
    const shown = await runBundle(['show', '--json'], { input: made.stdout })
    expect(JSON.parse(shown.stdout)).toMatchObject({ revoked: [{ comment: 'ca-old' }] })
    writeFileSync(at('revoking'), made.stdout)
    const next = await runBundle(['create', '--serial', '3', at('revoking')])
    expect(next.stdout).toContain(`@revoked ${OLD}`)
    const diff = await runBundle(['diff', '--json', at('new.pub'), at('revoking')])
    expect(JSON.parse(diff.stdout)).toMatchObject({ revoked: { added: [{ comment: 'ca-old' }] } })
    const bundle = ['--serial', '4', '-o', at('revoking'), at('new.pub')]
    const kept = await runBundle(['create', '--revoke', at('old.pub'), ...bundle])
    expect(kept).toMatchObject({ code: 0, stderr: '' })
    const forgotten = await runBundle(['create', ...bundle])
    expect(forgotten.code).toBe(0)
    expect(forgotten.stderr).toMatch(/^warning: SHA256:\S+ was revoked in .* and is so no longer/)
    const both = await runBundle(['create', '--revoke', at('old.pub'), at('old.pub')])
    expect(both.code).toBe(4)
    expect(both.stdout).toContain('trusted-and-revoked')
  })

  test('refuses what a host would refuse, with the file and its line', async () => {
    writeFileSync(at('cert.pub'), `${OLD}\ncert-authority ${NEW}\n`)
    const refused = await runBundle(['create', at('cert.pub')])
    expect(refused.code).toBe(4)
    expect(refused.stdout).toContain(`${at('cert.pub')}:2: options stand before the key`)
    expect(refused.stdout).toContain('option-prefix')
  })

  test('says when it is too large for a Direct Response route', async () => {
    writeFileSync(at('long.pub'), `${OLD} ${'x'.repeat(4096)}\n`)
    const made = await runBundle(['create', '--serial', '1', at('long.pub')])
    expect(made.code).toBe(0)
    expect(made.stderr).toContain('4096 at most')
  })

  test.each([
    [[], 'wants key files'],
    [['/nowhere.pub'], "/nowhere.pub can't be read"],
    [['--serial', '-1', 'x'], '--serial'],
    [['--serial', '1.5', 'x'], '--serial must be a whole number'],
    [['--expires', '2020-01-01T00:00:00Z', 'x'], 'expired already'],
    [['--expires', 'tomorrow', 'x'], '--expires must be a time'],
    [['--valid-for', '3 weeks', 'x'], '--valid-for must be a span'],
    [['--valid-for', '1d', '--expires', '2030-01-01T00:00:00Z', 'x'], 'give one'],
    [['--colour', 'x'], '--colour'],
  ])('exits 2 for %j', async (args, message) => {
    const ended = await runBundle(['create', ...args])
    expect(ended.code).toBe(2)
    expect(ended.stderr).toContain(message)
    expect(ended.stderr).not.toContain('    at ')
  })
})
