import { execFileSync } from 'node:child_process'
import { closeSync, openSync, readSync } from 'node:fs'
import { mkdir, mkdtemp, rm, symlink, unlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { MAX_BUNDLE_BYTES } from '../../agent/core/bundle/limits.ts'
import { fetchBundle } from '../../agent/source/fetch-bundle.ts'
import { BUNDLE, text } from './with-control-plane.ts'

async function useFile(content?: string | Uint8Array) {
  const folder = await mkdtemp(join(tmpdir(), 'source-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const path = join(folder, 'ca bundle%.pub')
  if (content !== undefined) await writeFile(path, content)
  return { folder, path, url: pathToFileURL(path).href }
}

test('gives the bytes, and no ETag', async () => {
  const { url } = await useFile(BUNDLE)
  const fetched = await fetchBundle({ url })
  expect(Object.keys(fetched)).toEqual(['kind', 'bytes'])
  expect(fetched.kind === 'bundle' && text(fetched.bytes)).toBe(BUNDLE)
})

test('follows a link, as in a mounted ConfigMap', async () => {
  const { folder, path } = await useFile(BUNDLE)
  await symlink(path, join(folder, 'link'))
  const { href } = pathToFileURL(join(folder, 'link'))
  expect(await fetchBundle({ url: href })).toMatchObject({ kind: 'bundle' })
})

test('reads an open descriptor from its start, path or no path, and leaves it open', async () => {
  const { url, path } = await useFile(BUNDLE)
  const fd = openSync(path, 'r')
  onTestFinished(() => closeSync(fd))
  readSync(fd, new Uint8Array(5))
  await unlink(path)
  for (const _ of [1, 2]) {
    const fetched = await fetchBundle({ url }, { fileDescriptor: fd })
    expect(fetched.kind === 'bundle' && text(fetched.bytes)).toBe(BUNDLE)
  }
})

test('a descriptor that is none', async () => {
  const { url } = await useFile(BUNDLE)
  expect(await fetchBundle({ url }, { fileDescriptor: 4000 })).toMatchObject({
    code: 'unreadable-file',
  })
})

test('JSON and web pages are treated as from the network', async () => {
  const { url, path } = await useFile(JSON.stringify({ ca: BUNDLE }))
  const fetched = await fetchBundle({ url, jsonPointer: '/ca' })
  expect(fetched.kind === 'bundle' && text(fetched.bytes)).toBe(BUNDLE)
  await writeFile(path, '<!doctype html>')
  expect(await fetchBundle({ url, jsonPointer: '/a' })).toMatchObject({ code: 'html' })
})

test('a file of just the limit is read, one byte more is not', async () => {
  const { url, path } = await useFile('#'.repeat(MAX_BUNDLE_BYTES))
  expect(await fetchBundle({ url })).toMatchObject({ kind: 'bundle' })
  await writeFile(path, '#'.repeat(MAX_BUNDLE_BYTES + 1))
  expect(await fetchBundle({ url })).toMatchObject({ kind: 'refused', code: 'too-large' })
})

test('a missing file', async () => {
  const { url } = await useFile()
  expect(await fetchBundle({ url })).toMatchObject({ code: 'unreadable-file' })
  expect(await fetchBundle({ url: `${url}/x` })).toMatchObject({ code: 'unreadable-file' })
})

test('a folder', async () => {
  const { url, path } = await useFile()
  await mkdir(path)
  expect(await fetchBundle({ url })).toMatchObject({ code: 'unreadable-file' })
})

test('a FIFO without a writer does not hang', async () => {
  const { url, path } = await useFile()
  execFileSync('mkfifo', [path])
  expect(await fetchBundle({ url })).toMatchObject({ code: 'unreadable-file' })
})

test('a device', async () => {
  expect(await fetchBundle({ url: 'file:///dev/zero' })).toMatchObject({ code: 'unreadable-file' })
})

test('a file that another user owns', async context => {
  const { url, path, folder } = await useFile(BUNDLE)
  if (process.geteuid?.() !== 0) context.skip('needs root')
  execFileSync('chmod', ['755', folder])
  execFileSync('chmod', ['600', path])
  // A child, since this process could read everything again once it is root again.
  const script = `
    process.setegid(65534); process.seteuid(65534)
    const { fetchBundle } = await import(process.argv[1])
    console.log(JSON.stringify(await fetchBundle({ url: process.argv[2] })))`
  const module = new URL('../../agent/source/fetch-bundle.ts', import.meta.url)
  const output = execFileSync(
    process.execPath,
    ['--input-type=module', '-e', script, '--', module.href, url],
    { encoding: 'utf8' },
  )
  const fetched = JSON.parse(output)
  expect(fetched).toMatchObject({ kind: 'unavailable', code: 'unreadable-file' })
  expect(fetched.message).toContain('nobody')
})

test('an encoded slash', async () => {
  expect(await fetchBundle({ url: 'file:///etc%2Fpasswd' })).toMatchObject({ code: 'bad-url' })
})
