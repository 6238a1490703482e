import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parseWebhookSecrets } from '../../../agent/core/config/webhook-secrets.ts'
import { newKeyLine } from '../../ssh-keys.ts'
import { type TempDir, tempDir } from '../../sshd/temp-dir.ts'
import { runBundle } from './run-bundle.ts'

let folder: TempDir
const at = (name: string) => join(folder.path, name)

beforeAll(async () => {
  folder = await tempDir()
})
afterAll(() => folder[Symbol.asyncDispose]())

test('a secret that hosts take, for its owner alone, shown nowhere, and never overwritten', async () => {
  const made = await runBundle(['new-secret', at('secret')])
  expect(made).toMatchObject({ code: 0, stdout: '' })
  const text = readFileSync(at('secret'), 'utf8')
  const [secret = '', ...more] = parseWebhookSecrets(text)
  expect(more).toEqual([])
  expect(made.stderr).not.toContain(secret)
  expect(statSync(at('secret')).mode & 0o777).toBe(0o600)
  expect(await runBundle(['new-secret', at('secret')])).toEqual({
    ...{ code: 2, stdout: '' },
    stderr: `pomerium-host-agent: ${at('secret')} is there already, and is not overwritten\n`,
  })
  expect(readFileSync(at('secret'), 'utf8')).toBe(text)
}, 60_000)

test('a signer: the line that is printed takes what the key signs', async () => {
  const asked = await runBundle(['new-signer', at('signer'), '--name', 'alice@laptop'])
  expect(asked).toMatchObject({ code: 2, stderr: expect.stringContaining('--no-passphrase') })
  const flags = ['--name', 'alice@laptop', '--no-passphrase']
  const { code, stdout } = await runBundle(['new-signer', at('signer'), ...flags])
  expect(code).toBe(0)
  writeFileSync(at('signers'), stdout)
  const input = `${newKeyLine('ed25519')} ca\n`
  const signed = await runBundle(['sign', '--key', at('signer')], { input })
  expect(
    await runBundle(['verify', '--signers', at('signers')], { input: signed.stdout }),
  ).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('signed by alice@laptop'),
  })
}, 60_000)
