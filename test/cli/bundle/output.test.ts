import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { newKeyLine } from '../../ssh-keys.ts'
import { type TempDir, tempDir } from '../../sshd/temp-dir.ts'
import { MAIN, runBundle } from './run-bundle.ts'

let folder: TempDir
const at = (name: string) => join(folder.path, name)
const create = (output: string) =>
  runBundle(['create', '--serial', '1', at('ca.pub'), '--output', output])

beforeAll(async () => {
  folder = await tempDir()
  writeFileSync(at('ca.pub'), `${newKeyLine('ed25519')} ca\n`)
  mkdirSync(at('folder'))
  await execa('ssh-keygen', ['-qt', 'ed25519', '-N', '', '-f', at('signer')])
})
afterAll(() => folder[Symbol.asyncDispose]())

describe('an --output that can’t be written is named, with the reason', () => {
  test.each([
    ['/nonexistent/x', 'no such directory (ENOENT)'],
    ['/dev/full', 'no space left on device (ENOSPC)'],
  ])('%s', async (output, why) => {
    const stderr = `pomerium-host-agent: the bundle can't be written to ${output}: ${why}\n`
    expect(await create(output)).toEqual({ code: 2, stdout: '', stderr })
  })

  test('by bundle sign too', async () => {
    const input = `# serial: 1\n${newKeyLine('ed25519')} ca\n`
    const stderr =
      "pomerium-host-agent: the bundle can't be written to /etc/passwd/x: not a directory (ENOTDIR)\n"
    const signed = await runBundle(['sign', '--key', at('signer'), '-o', '/etc/passwd/x'], {
      input,
    })
    expect(signed).toEqual({ code: 2, stdout: '', stderr })
  })
})

test('a device is written to, and never read', async () => {
  expect(await create('/dev/zero')).toMatchObject({ code: 0, stderr: '' })
})

test('a pipe is written to, and never read', async () => {
  const argv = [process.execPath, MAIN, 'bundle', 'create', '--serial', '1', at('ca.pub')]
  const line = '"$@" --output /dev/stdout | cat'
  const { stdout, stderr } = await execa('sh', ['-c', line, 'sh', ...argv])
  expect(stderr).toBe('')
  expect(stdout).toMatch(/^# serial: 1\n.*\nssh-ed25519 \S+ ca$/)
})

test.each([
  [['show', '/dev/zero']],
  [['create', '/dev/zero']],
  [['notify', '--hosts', '/dev/zero', '--secret-file', '/dev/null']],
])('a file without end is given up: %j', async args => {
  const { code, stderr } = await runBundle(args)
  expect({ code, stderr }).toEqual({
    code: 2,
    stderr: "pomerium-host-agent: /dev/zero can't be read: it holds more than 16 MiB\n",
  })
})

describe('in a working directory that was deleted', () => {
  async function inDeleted(args: readonly string[]) {
    const line = 'mkdir "$1"; cd "$1"; rmdir "$1"; shift; exec "$@"'
    const argv = [at('deleted'), process.execPath, MAIN, ...args]
    const { exitCode, stderr } = await execa('sh', ['-c', line, 'sh', ...argv], {
      ...{ reject: false, input: '', stripFinalNewline: false },
    })
    return { code: exitCode, stderr }
  }
  const DELETED = 'the working directory was deleted; change to another\n'

  test.each([
    [['plan', '--root', 'tree'], `tree can't be found: ${DELETED}`],
    [['bundle', 'rotate'], `. can't be found: ${DELETED}`],
    [
      ['bundle', 'create', '--serial', '1', 'CA', '--output', 'bundle'],
      "the bundle can't be written to bundle: no such file or directory (ENOENT)\n",
    ],
    [['bundle', 'create', '--serial', '1', 'SIGNER'], DELETED],
    [['bundle', 'new-signer', 'new', '--no-passphrase', '--name', 'alice'], DELETED],
  ])('%j', async (args, says) => {
    const given = args.map(arg => ({ CA: at('ca.pub'), SIGNER: at('signer') })[arg] ?? arg)
    expect(await inDeleted(given)).toEqual({
      code: 2,
      stderr: `pomerium-host-agent: ${says}`,
    })
  })

  test('what is named in full is found', async () => {
    const given = ['bundle', 'create', '--serial', '1', at('ca.pub'), '-o', at('folder/bundle')]
    expect(await inDeleted(given)).toEqual({ code: 0, stderr: '' })
    expect(existsSync(at('folder/bundle'))).toBe(true)
    expect(readdirSync(at('folder'))).toEqual(['bundle'])
  })
})

test('where no temporary file can be made, nothing is signed', async () => {
  const input = `# serial: 1\n${newKeyLine('ed25519')} ca\n`
  const env = { TMPDIR: '/nonexistent' }
  const { code, stderr } = await runBundle(['sign', '--key', at('signer')], { input, env })
  expect({ code, stderr }).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('no file can be made in /nonexistent'),
  })
})
