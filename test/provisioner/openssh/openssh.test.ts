import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { realFileSystem } from '../../../agent/provisioner/files/file-system.ts'
import {
  configFile,
  configOptions,
  openSshd,
  optionLines,
} from '../../../agent/provisioner/openssh/openssh.ts'

test.each([
  [['-D'], [], undefined],
  [['-D', '-o', 'Port 22', '-oBanner=none'], ['Port 22', 'Banner=none'], undefined],
  [['-f', '/etc/ssh/other', '-o', 'Port=22'], ['Port=22'], '/etc/ssh/other'],
  [['-Df/etc/ssh/other'], [], '/etc/ssh/other'],
  [['-f', '-o', '-Do', 'Port=22'], ['Port=22'], '-o'],
])('%j', (args, lines, main) => {
  const options = configOptions(['/usr/sbin/sshd', ...args])
  expect(optionLines(options)).toEqual(lines)
  expect(configFile(options)).toBe(main)
})

test('a run folder that somebody takes away in between is made again', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'run-folder-'))
  const runFolder = `${folder}/sshd`
  let runs = 0
  const run = async () => {
    runs += 1
    if (runs > 1) return { code: existsSync(runFolder) ? 0 : 255, stdout: '', stderr: '' }
    rmSync(runFolder, { recursive: true })
    return { code: 255, stdout: '', stderr: 'Missing privilege separation directory: /run/sshd' }
  }
  const sshd = openSshd(['sshd'], run, { fs: realFileSystem, runFolder })
  expect(await sshd.test()).toEqual({ ok: true })
  rmSync(folder, { recursive: true })
})

test('what sshd uses is remembered for a second, and asking it in earnest asks it', async () => {
  let now = 5_000
  let runs = 0
  const run = async () => {
    runs += 1
    return { code: 0, stdout: `port ${runs}\n`, stderr: '' }
  }
  const sshd = openSshd(['sshd'], run, { fs: realFileSystem, now: () => now })
  const port = async (asked: ReturnType<typeof sshd.lately>) => (await asked).get('port')
  expect(await port(sshd.lately())).toEqual(['1'])
  now += 999
  expect(await port(sshd.lately())).toEqual(['1'])
  expect(await port(sshd.effective({ user: 'root', addr: '127.0.0.1' }))).toEqual(['2'])
  expect(await port(sshd.lately())).toEqual(['1'])
  expect(await port(sshd.effective({}))).toEqual(['3'])
  expect(await port(sshd.lately())).toEqual(['3'])
  now += 1_000
  expect(await port(sshd.lately())).toEqual(['4'])
  now -= 60_000
  expect(await port(sshd.lately())).toEqual(['5'])
})
