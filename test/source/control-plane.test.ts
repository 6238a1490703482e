import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { fetchBundle } from '../../agent/source/fetch-bundle.ts'
import { BUNDLE, text } from './with-control-plane.ts'

const SERVE = fileURLToPath(new URL('../control-plane/serve.ts', import.meta.url))

test('the fake control plane, as a process of its own', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'control-plane-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const [bundle, mode, tls] = ['bundle', 'mode', 'tls'].map(name => join(folder, name)) as [
    string,
    string,
    string,
  ]
  await writeFile(bundle, BUNDLE)
  const args = ['--bundle-file', bundle, '--mode-file', mode, '--tls-dir', tls]
  const child = spawn(process.execPath, [SERVE, ...args], { stdio: ['pipe', 'pipe', 'inherit'] })
  onTestFinished(() => {
    child.kill('SIGKILL')
  })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const nextLine = async (): Promise<string> => (await lines.next()).value ?? ''
  const say = async (command: object) => {
    child.stdin.write(`${JSON.stringify(command)}\n`)
    return JSON.parse(await nextLine())
  }
  const [word, port] = (await nextLine()).split(' ')
  expect(word).toBe('listening')
  const source = {
    url: `https://localhost:${port}/bundle`,
    extraRoots: await readFile(join(tls, 'ca.pem'), 'utf8'),
  }

  const first = await fetchBundle(source)
  expect(first.kind === 'bundle' && text(first.bytes)).toBe(BUNDLE)
  await writeFile(bundle, '# other\n')
  const second = await fetchBundle(source)
  expect(second.kind === 'bundle' && text(second.bytes)).toBe('# other\n')

  expect(await say({ behave: { mode: 'status', status: 404 } })).toEqual({ ok: true })
  expect(await fetchBundle(source)).toMatchObject({ code: 'not-found' })
  await writeFile(mode, JSON.stringify({ mode: 'html' }))
  expect(await fetchBundle(source)).toMatchObject({ code: 'html' })
  await writeFile(mode, '')
  await rm(bundle)
  await say({ behave: { mode: 'normal' } })
  expect(await fetchBundle(source)).toMatchObject({ code: 'server-error' })
  expect((await say({ requests: true })).requests).toHaveLength(5)

  child.stdin.write('{"close": true}\n')
  expect(await once(child, 'exit')).toEqual([0, null])
})
