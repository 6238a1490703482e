import { describe, expect, test } from 'vitest'
import { bytesOf } from '../../../agent/core/sshd-config/bytes.ts'
import {
  absolutePattern,
  expandPattern,
  matchesPattern,
} from '../../../agent/core/sshd-config/glob.ts'
import { memoryFiles } from './memory-files.ts'

test.each([
  ['/etc/ssh/sshd_config.d/*.conf', '/etc/ssh/sshd_config.d/*.conf'],
  ['sshd_config.d/*.conf', '/etc/ssh/sshd_config.d/*.conf'],
  ['./a//b', '/etc/ssh/a/b'],
  ['../ssl/a', '/etc/ssh/../ssl/a'],
  ['~/a', '~/a'],
])('%s is %s', (pattern, absolute) => {
  expect(absolutePattern(pattern)).toBe(absolute)
})

const bytes = (text: string) => bytesOf(Buffer.from(text))

describe('a pattern takes in', () => {
  test.each([
    ['/d/*.conf', '/d/pomerium-ca.conf', true],
    ['/d/*.conf', '/d/.conf', false],
    ['/d/*.conf', '/d/.a.conf', false],
    ['/d/.*.conf', '/d/.a.conf', true],
    ['/d/\\.*.conf', '/d/.a.conf', true],
    ['/d/?a', '/d/.a', false],
    ['/d/[.]a', '/d/.a', false],
    ['/d/*.conf', '/d/a.conf.bak', false],
    ['/d/*.conf', '/d/e/a.conf', false],
    ['/d/**', '/d/e/a.conf', false],
    ['/*/a.conf', '/d/a.conf', true],
    ['/*/a.conf', '/.d/a.conf', false],
    ['/d/?', '/d/ab', false],
    ['/d/??', '/d/é', true],
    ['/d/[0-9]*', '/d/00-x.conf', true],
    ['/d/[!0-9]*', '/d/00-x.conf', false],
    ['/d/[^0-9]*', '/d/a', true],
    ['/d/[]a]', '/d/]', true],
    ['/d/[!]a]', '/d/]', false],
    ['/d/[!]a]', '/d/b', true],
    ['/d/[a-]', '/d/-', true],
    ['/d/[z-a]', '/d/m', false],
    ['/d/[a\\]]', '/d/]', true],
    ['/d/[[:upper:][:digit:]_]', '/d/Q', true],
    ['/d/[[:upper:][:digit:]_]', '/d/q', false],
    ['/d/[a', '/d/[a', true],
    ['/d/{a,b}', '/d/a', false],
    ['/d/{a,b}', '/d/{a,b}', true],
    ['/d/\\*', '/d/*', true],
    ['/d/\\*', '/d/a', false],
    ['/d/a.conf', '/d/axconf', false],
    ['/d/A*', '/d/a', false],
    ['~/a', '/etc/ssh/~/a', false],
  ])('%s, %s: %s', (pattern, path, expected) => {
    expect(matchesPattern(bytes(path), pattern)).toBe(expected)
  })
})

describe('a pattern comes to', () => {
  const { list } = memoryFiles({
    '/d/9.conf': '',
    '/d/10.conf': '',
    '/d/.h.conf': '',
    '/d/a.conf': '',
    '/d/Z.conf': '',
    [bytes('/d/é.conf')]: '',
    [bytes('/d/\u{ffee}.conf')]: '',
    [bytes('/d/\u{1f600}.conf')]: '',
    '/d-1/x.conf': '',
  })
  test.each([
    [
      '/d/*.conf',
      ['10', '9', 'Z', 'a', 'é', '\u{ffee}', '\u{1f600}'].map(name => `/d/${name}.conf`),
    ],
    // The order is that of whole paths: `-` comes before `/`.
    ['/*/[9x].conf', ['/d-1/x.conf', '/d/9.conf']],
    ['/none/*.conf', []],
    ['/none/a.conf', ['/none/a.conf']],
    ['/d/\\*', ['/d/*']],
    ['~/*', []],
  ])('%s: %j', (pattern, paths) => {
    expect(expandPattern(pattern, list)).toEqual(paths.map(bytes))
  })
})
