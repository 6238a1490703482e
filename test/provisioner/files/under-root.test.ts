import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { realFileSystem } from '../../../agent/provisioner/files/file-system.ts'
import { underRoot } from '../../../agent/provisioner/files/under-root.ts'

const root = mkdtempSync(join(tmpdir(), 'under-root-'))
mkdirSync(join(root, 'etc/real'), { recursive: true })
symlinkSync('/etc/real', join(root, 'etc/absolute'))
symlinkSync('../../../../etc/real', join(root, 'etc/out'))
symlinkSync('gone', join(root, 'etc/dangling'))
symlinkSync('loop', join(root, 'etc/loop'))
symlinkSync('/etc/absolute/file', join(root, 'etc/file'))
afterAll(() => rmSync(root, { recursive: true }))

test.each([
  ['/', '/'],
  ['/etc//./x', '/etc/x'],
  ['/etc/absolute/x', '/etc/real/x'],
  ['/etc/absolute', '/etc/real'],
  ['/etc/out/x', '/etc/real/x'],
  ['/etc/absolute/../x', '/etc/x'],
  ['/../../etc', '/etc'],
  ['/etc/file', '/etc/real/file'],
  ['/etc/dangling/../real/x', '/etc/gone/..'],
  ['/etc/gone/../../../etc/passwd', '/etc/gone/..'],
  ['/etc/loop/x', '/etc/loop/x'],
  [`/etc/${'n'.repeat(300)}/x`, `/etc/${'n'.repeat(300)}/x`],
  ['/etc/real/\xff', '/etc/real/\xff'],
])('%s leads to %s', (path, place) => {
  expect(underRoot(realFileSystem, root, path, 'follow')).toBe(`${root}${place}`)
})

test('the last link is kept where it is asked for', () => {
  expect(underRoot(realFileSystem, root, '/etc/file', 'keep')).toBe(`${root}/etc/file`)
  expect(underRoot(realFileSystem, root, '/etc/absolute/', 'keep')).toBe(`${root}/etc/absolute`)
})
