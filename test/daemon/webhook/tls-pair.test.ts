import { spawnSync } from 'node:child_process'
import { createPrivateKey, generateKeyPairSync } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { SettingFileError } from '../../../agent/core/config/setting-file-error.ts'
import { checkTlsPair } from '../../../agent/daemon/webhook/tls-pair.ts'
import { makeTestTls, type TestTls } from '../../control-plane/test-tls.ts'
import { tempDir } from '../../sshd/temp-dir.ts'

let mine: TestTls
let other: TestTls
beforeAll(async () => {
  mine = await makeTestTls({ hosts: ['host.example.com'] })
  other = await makeTestTls({ hosts: ['host.example.com'] })
})

const at = (path: string, text: string) => ({ path, text })
const check = (cert: string, key: string) => {
  try {
    return checkTlsPair(at('/c.pem', cert), at('/k.pem', key))
  } catch (error) {
    if (error instanceof SettingFileError) return error
    throw error
  }
}

test('a pair is taken as it is, with the chain behind the certificate', () => {
  const chain = `${mine.cert}\n${other.ca}`
  expect(check(chain, mine.key)).toEqual({ cert: chain, key: mine.key })
})

describe('refused, by file and with what to do, and nothing of the key is told', () => {
  const encrypted = () =>
    createPrivateKey(mine.key).export({
      type: 'pkcs8',
      format: 'pem',
      cipher: 'aes-256-cbc',
      passphrase: 'x',
    }) as string
  const publicKey = () =>
    generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'pem' }) as string

  test.each([
    ['another key', () => [mine.cert, other.key], 'mismatch', '/k.pem'],
    [
      'the chain the wrong way round',
      () => [`${mine.ca}\n${mine.cert}`, mine.key],
      'mismatch',
      '/k.pem',
    ],
    ['the two swapped', () => [mine.key, mine.cert], 'no-key', '/k.pem'],
    ['an empty certificate', () => ['', mine.key], 'no-certificate', '/c.pem'],
    ['a torn certificate', () => [mine.cert.slice(0, 200), mine.key], 'no-certificate', '/c.pem'],
    ['no key', () => [mine.cert, ''], 'no-key', '/k.pem'],
    ['a torn key', () => [mine.cert, mine.key.slice(0, 120)], 'no-key', '/k.pem'],
    ['a public key', () => [mine.cert, publicKey()], 'no-key', '/k.pem'],
    ['a key with a passphrase', () => [mine.cert, encrypted()], 'encrypted-key', '/k.pem'],
  ] as const)('%s', (_, pair, code, file) => {
    const [cert = '', key = ''] = pair()
    const error = check(cert, key)
    expect(error).toMatchObject({ code, message: expect.stringContaining(file) })
    expect(Object.hasOwn(error, 'cause')).toBe(false)
    const told = JSON.stringify([String(error), (error as Error).stack])
    for (const line of `${mine.key}\n${key}`.split('\n')) {
      if (line.length > 20 && !line.startsWith('-----')) expect(told).not.toContain(line)
    }
  })
})

test('the daemon does not start with a pair that is none: exit 2, no byte of the key', async () => {
  await using folder = await tempDir()
  const file = async (name: string, text: string) => {
    const path = join(folder.path, name)
    await writeFile(path, text, { mode: 0o600 })
    return path
  }
  const config = `
source: { url: https://ca.example.com/ }
webhook:
  listen: 127.0.0.1:1
  secret_file: ${await file('secret', `whsec_${Buffer.alloc(32, 7).toString('base64')}`)}
  tls_cert_file: ${await file('c.pem', mine.cert)}
  tls_key_file: ${await file('k.pem', other.key)}
`
  const main = join(import.meta.dirname, '../../../agent/main.ts')
  const args = [main, 'run', '--resident', '--config', await file('host-agent.yaml', config)]
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  expect(status).toBe(2)
  expect(stderr).toMatch(/^pomerium-host-agent: webhook\.tls_key_file: \/.*k\.pem is not the key/)
  expect(stdout + stderr).not.toContain(other.key.split('\n')[1])
})
