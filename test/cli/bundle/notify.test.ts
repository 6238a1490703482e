import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parseBundle } from '../../../agent/core/bundle/bundle.ts'
import { OTHER_SECRET, SECRET, useWebhook } from '../../daemon/webhook/with-webhook.ts'
import { outcomeWith } from '../../publisher/notify/outcomes.ts'
import { FIRST } from '../../publisher/serve/with-server.ts'
import { tempDir } from '../../sshd/temp-dir.ts'
import { runBundle } from './run-bundle.ts'

test('a fleet: who trusts what, and 9 while one is missing', async () => {
  await using folder = await tempDir()
  const file = (name: string, text: string) => {
    const path = join(folder.path, name)
    writeFileSync(path, text)
    return path
  }
  const bundle = parseBundle(Buffer.from(`# serial: 3\n${FIRST}\n`))
  const { fingerprint = '' } = bundle.kind === 'bundle' ? bundle.keys[0] : {}
  const outcome = outcomeWith('applied', [fingerprint], { serial: 3 })
  const good = await useWebhook({ hint: async () => outcome })
  const other = await useWebhook({ secrets: [OTHER_SECRET], hint: async () => outcome })
  const name = (port: number) => `127.0.0.1:${port}`
  const hosts = [name(good.port), `${name(other.port)} secret-file=${file('b', OTHER_SECRET)}`]
  const flags = [
    '--secret-file',
    file('a', SECRET),
    '--bundle',
    file('bundle', `# serial: 3\n${FIRST}\n`),
  ]

  const listed = file('hosts', hosts.join('\n'))
  const all = await runBundle(['notify', ...flags, '--hosts', listed, '--json'])
  expect(all).toMatchObject({ code: 0, stderr: '' })
  expect(JSON.parse(all.stdout)).toMatchObject({
    converged: true,
    hosts: [
      { host: name(good.port), state: 'converged', serial: 3, effective: true },
      { host: name(other.port), state: 'converged' },
    ],
  })

  // By standard input, with one whose secret is another.
  const piped = await runBundle(['notify', ...flags], {
    input: `${name(good.port)}\n${name(other.port)}\n`,
  })
  expect(piped.code).toBe(9)
  expect(piped.stdout).toContain(fingerprint)
  expect(piped.stdout).toContain('1 of 2 hosts have converged\nWhy another has not,')
  expect(piped.stdout).toContain('webhook.secret_file')
  expect(piped.stdout + piped.stderr).not.toContain(SECRET.slice(6))
})

test('what a host says can’t write other lines of the table, nor to the terminal', async () => {
  await using folder = await tempDir()
  writeFileSync(join(folder.path, 'secret'), SECRET)
  const told = outcomeWith('host-refused', ['SHA256:x'], {
    message: 'no\u001b[2K\nother  converged\u202e',
  })
  const comment = 'ca\nforged  converged\u009b2J'
  const outcome = { ...told, trusted: told.trusted.map(key => ({ ...key, comment })) }
  const host = await useWebhook({ hint: async () => outcome })
  const name = `127.0.0.1:${host.port}`
  const flags = ['--secret-file', join(folder.path, 'secret'), name]
  const { code, stdout } = await runBundle(['notify', ...flags])
  expect(code).toBe(9)
  expect(stdout).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}]|^(forged|other)/mu)
  expect(stdout).toContain('no [2K other  converged')
  expect(stdout).toContain('ca forged  converged 2J')
}, 30_000)

test.each([
  ['no secret', ['host'], '--secret-file'],
  ['no host', ['--secret-file', '/dev/null'], 'no host'],
  ['no such flag', ['--secret', 'x'], '--secret'],
])('%s is a usage error', async (_, args, told) => {
  const { code, stderr } = await runBundle(['notify', ...args])
  expect(code).toBe(2)
  expect(stderr).toContain(told)
})
