import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { runConfined } from '../../../agent/provisioner/fetch/confined-child.ts'
import { findConfinement } from '../../../agent/provisioner/fetch/confinement.ts'
import { fetchUnprivileged } from '../../../agent/provisioner/fetch/fetch-unprivileged.ts'

const HERE = { at: (path: string) => path, isRoot: process.getuid?.() === 0 }
const settings = { pollIntervalSeconds: 300, longPoll: false }

/** What becomes of a fetch whose child is this line of sh. */
async function fetchBy(line: string, url = new URL('https://ssh-ca.example.com/bundle')) {
  const stderr: string[] = []
  const fetched = await fetchUnprivileged({ ...settings, url }, HERE, {
    argv: ['sh', '-c', line],
    environment: { HTTPS_PROXY: 'http://proxy:3128', SECRET: 'x' },
    onStderr: each => stderr.push(each),
  })
  return { ...fetched, stderr }
}

test.each([
  ['nothing', ':'],
  ['no JSON', 'echo no'],
  ['another kind', 'echo \'{"kind":"not-modified"}\''],
  ['a code of its own', 'echo \'{"kind":"unavailable","code":"__proto__","message":"x"}\''],
  ['an endless answer', 'exec yes'],
  ['an answer, and then an error', 'echo \'{"kind":"bundle","bytes":"eA=="}\'; exit 7'],
  ['a signal', 'kill -SEGV $$'],
])('a child that answers %s is a source that gave nothing', async (_, line) => {
  expect(await fetchBy(line)).toMatchObject({ kind: 'unavailable', code: 'fetch-failed' })
})

test('nor does a program that is not there do more', async () => {
  const fetched = await fetchUnprivileged({ ...settings, url: new URL('https://x/') }, HERE, {
    argv: ['/no/such'],
    environment: {},
    onStderr: () => {},
  })
  expect(fetched).toMatchObject({ kind: 'unavailable', code: 'fetch-failed' })
})

test.each([
  ['that is not there', ':', 'is missing'],
  ['that is a pipe', 'mkfifo token', 'is a pipe or a device'],
  ['that is a folder', 'mkdir token', 'is a folder'],
])('a token file %s is said, and not waited for', async (_, make, problem) => {
  const folder = mkdtempSync(join(tmpdir(), 'fetch-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  execFileSync('sh', ['-c', make], { cwd: folder })
  const tokenFile = join(folder, 'token')
  const child = { argv: ['false'], environment: {}, onStderr: () => {} }
  const source = { ...settings, url: new URL('https://x/'), tokenFile }
  expect(await fetchUnprivileged(source, HERE, child)).toMatchObject({
    code: 'unreadable-file',
    message: expect.stringContaining(`source.token_file ${tokenFile} ${problem}`),
  })
})

test('its standard error is a few plain lines', async () => {
  const { stderr } = await fetchBy("printf 'a\\033[2Jb\\r\\n\\n' >&2; yes x | head -c 100000 >&2")
  expect(stderr[0]).toBe('a [2Jb')
  expect(stderr.join('\n').length).toBeLessThanOrEqual(8 * 1024)
})

test('a file: source that root opened is its descriptor 3, and the environment is the proxy’s', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'fetch-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'bundle')
  writeFileSync(file, 'the bundle')
  chmodSync(file, 0o600)
  const line = `printf '{"kind":"bundle","bytes":"%s"}' "$({ cat <&3; env; } | base64 -w0)"`
  const fetched = await fetchBy(line, pathToFileURL(file))
  if (fetched.kind !== 'bundle') expect.fail(JSON.stringify(fetched))
  const text = Buffer.from(fetched.bytes).toString()
  expect(text).toMatch(/^the bundle/)
  expect(text).toContain('HTTPS_PROXY=http://proxy:3128')
  expect(text).not.toContain('SECRET')
})

test('one that does not end is ended, and what it started with it', async () => {
  const confinement = await findConfinement(undefined)
  const line = 'sleep 1000 & echo $! >&2; sleep 1000'
  const ended = await runConfined(['sh', '-c', line], {
    ...{ confinement, environment: { PATH: '/usr/bin:/bin' }, input: '' },
    ...{ maxAnswerBytes: 10, timeoutMs: 1_000 },
  })
  expect(ended).toMatchObject({ problem: 'did not end within 1 s' })
  const pid = Number(ended.stderr[0])
  expect(pid).toBeGreaterThan(0)
  // Nobody may have waited for it: then it is a zombie (Z in proc_pid_stat(5)).
  const isGone = () => {
    const path = `/proc/${pid}/stat`
    return !existsSync(path) || readFileSync(path, 'utf8').includes(') Z ')
  }
  await expect.poll(isGone).toBe(true)
})
