import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parseBundle } from '../../../agent/core/bundle/bundle.ts'
import { OTHER_SECRET, SECRET, STATUS, useWebhook } from '../../daemon/webhook/with-webhook.ts'
import { FIRST } from '../../publisher/serve/with-server.ts'
import { tempDir } from '../../sshd/temp-dir.ts'
import { runBundle } from './run-bundle.ts'

async function fleet() {
  const folder = await tempDir()
  const file = (name: string, text: string) => {
    const path = join(folder.path, name)
    writeFileSync(path, text)
    return path
  }
  const bundle = parseBundle(Buffer.from(FIRST))
  const keys = bundle.kind === 'bundle' ? bundle.keys : []
  const trusted = keys.map(({ type, fingerprint, comment }) => ({ type, fingerprint, comment }))
  const host = async (serial: number) => {
    const webhook = await useWebhook({ status: async () => ({ ...STATUS, trusted, serial }) })
    return { ...webhook, webhook, name: `127.0.0.1:${webhook.port}` }
  }
  const secret = ['--secret-file', file('secret', SECRET)]
  return { folder, file, host, secret, [Symbol.asyncDispose]: folder[Symbol.asyncDispose] }
}

test('who trusts what, who is late, and what to type next; nobody is told anything', async () => {
  await using it = await fleet()
  const [good, late, down] = [await it.host(3), await it.host(1), '127.0.0.1:9']
  const other = await useWebhook({ secrets: [OTHER_SECRET] })
  const hosts = it.file('hosts', [good.name, late.name, down, `127.0.0.1:${other.port}`].join('\n'))
  const bundle = ['--bundle', it.file('bundle', `# serial: 3\n${FIRST}\n`)]
  const flags = [...it.secret, '--hosts', hosts]

  const screen = await runBundle(['status', ...flags, ...bundle])
  expect(screen).toMatchObject({ code: 9, stderr: '' })
  for (const line of screen.stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80)
  const rows = screen.stdout.replaceAll(/ +/g, ' ')
  expect(rows).toMatch(new RegExp(`${good.name} converged key1\\n`))
  expect(rows).toMatch(new RegExp(`${late.name} late key1\\n late by 2: it has serial 1 and not 3`))
  expect(rows).toContain(`${down} unreachable not known`)
  expect(rows).toContain('unauthorized: it refuses the signature')
  expect(rows).toContain('1 of 4 hosts are well and trust serial 3\n')
  expect(rows).toContain(
    `pomerium-host-agent bundle notify \\\n --secret-file ${it.secret[1]} \\\n`,
  )
  expect(screen.stdout + screen.stderr).not.toContain(SECRET.slice(6))

  // Without a bundle, by what the hosts say of each other.
  const all = await runBundle(['status', ...flags, '--json'])
  expect(all.code).toBe(9)
  expect(JSON.parse(all.stdout)).toMatchObject({
    converged: false,
    wanted: { serial: 3 },
    hosts: [
      { host: good.name, state: 'converged', serial: 3, effective: true, findings: [] },
      { host: late.name, state: 'late', serial: 1, last: { outcome: 'unchanged' } },
      { host: down, state: 'unreachable', code: 'connection-refused' },
      { state: 'failed', code: 'unauthorized' },
    ],
  })
  expect([good.webhook.hints, late.webhook.hints, other.hints]).toEqual([0, 0, 0])
})

test('a fleet that is well is 0, and there is nothing to type', async () => {
  await using it = await fleet()
  const hosts = [(await it.host(3)).name, (await it.host(3)).name]
  const { code, stdout } = await runBundle(['status', ...it.secret, ...hosts])
  expect(code).toBe(0)
  expect(stdout).toContain('2 of 2 hosts are well and trust serial 3, the newest among them\n')
  expect(stdout).not.toContain('bundle notify')
})

test('a URL beside which nothing is known is asked for nothing', async () => {
  await using it = await fleet()
  const host = await it.host(3)
  const { code, stdout } = await runBundle(['status', ...it.secret, `${host.url}/elsewhere`])
  expect(code).toBe(9)
  expect(stdout).toContain('no-status')
  expect(host.webhook.answers).toEqual([])
})

test.each([
  ['no secret', ['host'], '--secret-file'],
  ['a span to wait', ['host', '--secret-file', '/dev/null', '--timeout', '1m'], '--timeout'],
])('%s is a usage error', async (_, args, told) => {
  const { code, stderr } = await runBundle(['status', ...args])
  expect(code).toBe(2)
  expect(stderr).toContain(told)
})

test('a bundle that is none is refused before anybody is asked', async () => {
  await using it = await fleet()
  const bundle = ['--bundle', it.file('bundle', 'nothing')]
  expect((await runBundle(['status', ...it.secret, 'host', ...bundle])).code).toBe(4)
})
