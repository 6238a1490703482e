import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { placeFile } from '../../agent/publisher/place-file.ts'
import { tempDir } from '../sshd/temp-dir.ts'

test('what a web server serves can be read by it, whatever the operator’s umask', async () => {
  await using folder = await tempDir()
  const path = join(folder.path, 'bundle')
  const before = process.umask(0o077)
  try {
    placeFile(path, 'keys\n')
  } finally {
    process.umask(before)
  }
  expect(statSync(path).mode & 0o777).toBe(0o644)
  expect(readdirSync(folder.path)).toEqual(['bundle'])
})

test('a link stays, and leads to the new content', async () => {
  await using folder = await tempDir()
  const path = (name: string) => join(folder.path, name)
  mkdirSync(path('www'))
  writeFileSync(path('www/bundle'), 'old\n')
  symlinkSync('www/bundle', path('link'))
  placeFile(path('link'), 'new\n')
  expect(lstatSync(path('link')).isSymbolicLink()).toBe(true)
  expect(readFileSync(path('www/bundle'), 'utf8')).toBe('new\n')
})

test('a device is written to, and not replaced', async () => {
  await using folder = await tempDir()
  const device = join(folder.path, 'null')
  symlinkSync('/dev/null', device)
  placeFile(device, 'keys\n')
  expect(statSync(device).isCharacterDevice()).toBe(true)
})

describe('where nothing can be written, it says why and leaves nothing', () => {
  test.each([
    ['no/such/bundle', 'no such directory (ENOENT)'],
    ['file/bundle', 'not a directory (ENOTDIR)'],
    ['folder', 'it is a directory (EISDIR)'],
    ['new/', 'not a directory (ENOTDIR)'],
    ['circle', 'too many symbolic links encountered (ELOOP)'],
    ['full', 'no space left on device (ENOSPC)'],
    ['/proc/bundle', 'no such file or directory (ENOENT)'],
  ])('%s: %s', async (name, why) => {
    await using folder = await tempDir()
    const path = (each: string) => join(folder.path, each)
    writeFileSync(path('file'), 'old\n')
    mkdirSync(path('folder'))
    symlinkSync('circle', path('circle'))
    symlinkSync('/dev/full', path('full'))
    const before = readdirSync(folder.path)
    const place = name.startsWith('/') ? name : `${folder.path}/${name}`
    expect(() => placeFile(place, 'keys\n')).toThrow(new Error(why))
    expect(readdirSync(folder.path)).toEqual(before)
    expect(readFileSync(path('file'), 'utf8')).toBe('old\n')
  })
})
