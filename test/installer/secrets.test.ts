import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { findSecrets, machineWords } from '../../installer/secrets.ts'
import { tempDir } from '../sshd/temp-dir.ts'
import { builtProgram } from './built-program.ts'

const words = machineWords(
  { DEPLOY_TOKEN: 'horse-battery-staple', HOME: '/home/someone', SHORT_KEY: 'abc' },
  { 'the path of this checkout': '/srv/builds/agent/' },
)

describe('what may not be published', () => {
  test('nothing of it is in the program', async () => {
    await using built = await builtProgram()
    expect(await findSecrets(built.folder, words)).toEqual([])
  })

  const token = randomBytes(40).toString('base64').replace(/\W/g, '').padEnd(36, 'x').slice(0, 36)
  test.each([
    ['a token of a vendor', `const t = "ghp_${token}"`, 'github'],
    ['the path of this checkout', '// /srv/builds/agent/main.ts', 'the path of this checkout'],
    ['a value of the environment', 'horse-battery-staple', 'the value of DEPLOY_TOKEN'],
  ])('%s is found, by file, and not shown', async (_, content, message) => {
    await using temp = await tempDir()
    await mkdir(join(temp.path, 'agent'))
    await writeFile(join(temp.path, 'agent', 'main.js'), `\n${content}\n`)
    const [problem = '', ...others] = await findSecrets(temp.path, words)
    expect(others).toEqual([])
    expect(problem).toMatch(/^agent\/main\.js holds /)
    expect(problem).toContain(message)
    expect(problem).not.toContain(token)
    expect(problem).not.toContain('horse')
  })

  test.each([
    ['OpenSSH’s', ['-t', 'ed25519']],
    ['PEM', ['-m', 'PEM', '-t', 'ecdsa']],
    ['PKCS 8', ['-m', 'PKCS8', '-t', 'ecdsa']],
  ])('a private key in %s form is found', async (_, type) => {
    await using temp = await tempDir()
    const file = join(temp.path, 'key')
    execFileSync('ssh-keygen', ['-q', ...type, '-N', '', '-C', '', '-f', file])
    expect(await findSecrets(temp.path, words)).toEqual([
      expect.stringMatching(/^key holds what looks like a secret .*private/),
    ])
  })

  test('a webhook secret is found', async () => {
    await using temp = await tempDir()
    await writeFile(join(temp.path, 'unit'), `SECRET=whsec_${token}\n`)
    expect(await findSecrets(temp.path, words)).toEqual([
      'unit holds what looks like a secret (webhook secret)',
    ])
  })
})
