import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { freePort } from '../../free-port.ts'
import { waitFor } from '../../machine/harness/wait-for.ts'
import { FIRST } from '../../publisher/serve/with-server.ts'
import { tempDir } from '../../sshd/temp-dir.ts'
import { runBundle } from './run-bundle.ts'

const MAIN = join(import.meta.dirname, '../../../agent/main.ts')

test('serves until it is told to stop, and ends a held poll then', async () => {
  await using folder = await tempDir()
  const file = join(folder.path, 'bundle')
  writeFileSync(file, `# serial: 1\n${FIRST}\n`)
  const listen = `127.0.0.1:${await freePort()}`
  const child = spawn(process.execPath, [MAIN, 'bundle', 'serve', file, '--listen', listen])
  let log = ''
  child.stderr.on('data', data => {
    log += data
  })
  await waitFor('the port', () => log.includes('"msg":"listening"'))
  const first = await fetch(`http://${listen}/bundle`)
  const headers = { 'if-none-match': first.headers.get('etag') ?? '', prefer: 'wait=60' }
  const poll = fetch(`http://${listen}/bundle`, { headers })
  await waitFor('the poll', async () =>
    (await (await fetch(`http://${listen}/metrics`)).text()).includes('held_requests 1\n'),
  )
  child.kill('SIGTERM')
  expect((await poll).status).toBe(304)
  expect(await once(child, 'close')).toEqual([0, null])
  expect(log).toContain('"status":200')
})

test.each([
  ['no bundle', 'not a key\n', [], 4, 'bundle:1'],
  ['half a pair', `${FIRST}\n`, ['--tls-cert', 'x'], 2, 'go together'],
  ['no address', `${FIRST}\n`, ['--listen', 'localhost'], 2, '--listen'],
])('%s is refused before anything listens', async (_, text, flags, code, told) => {
  await using folder = await tempDir()
  const file = join(folder.path, 'bundle')
  writeFileSync(file, text)
  const ended = await runBundle(['serve', file, ...flags])
  expect(ended.code).toBe(code)
  expect(ended.stdout + ended.stderr).toContain(told)
})
