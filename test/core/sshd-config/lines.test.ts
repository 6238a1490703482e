import { expect, test } from 'vitest'
import { linesOf } from '../../../agent/core/sshd-config/lines.ts'
import { parseConfigLine } from '../../../agent/core/sshd-config/parse-line.ts'
import { syntaxOf } from '../../../agent/core/sshd-config/syntax.ts'

const texts = (bytes: string, syntax: 'before-8.7' | 'since-8.7') =>
  linesOf(bytes, syntax).map(({ text, line }) => `${line} ${text}`)

test.each([
  ['a\n b\n', ['1 a', '2 b', '3 ']],
  ['a\0lost\n\t b\nc', ['1 ab', '3 c']],
  ['a\0x\0y\nb\0z\nc', ['1 abc']],
  ['a\0', ['1 a']],
  ['\0\n\0\nb', ['1 b']],
])('of %j sshd sees %j', (bytes, seen) => {
  expect(texts(bytes, 'since-8.7')).toEqual(seen)
})

test('before 8.7 a comment is cut off first, and keeps its newline from a NUL behind it', () => {
  expect(texts('a #b\0\nc\0#d\ne', 'before-8.7')).toEqual(['1 a ', '2 ce'])
})

test.each([
  ['Banner "/a b" c', ['/a b', 'c']],
  ['Banner /a"b c"d', ['/ab c', 'd']],
  ["Banner '/a b'", ["'/a", "b'"]],
  ['Banner /a\\ b', ['/a\\', 'b']],
  ['Banner a=b', ['a', 'b']],
  ['Include /a "/b', ['/a']],
])('before 8.7 the words of %j are %j', (text, args) => {
  expect(parseConfigLine(text, 'before-8.7')?.args).toEqual(args)
})

test('8.7 is where the syntax changed; an unknown version is a newer one', () => {
  expect(syntaxOf({ major: 8, minor: 4 })).toBe('before-8.7')
  expect(syntaxOf({ major: 8, minor: 7 })).toBe('since-8.7')
  expect(syntaxOf({ major: 10, minor: 0 })).toBe('since-8.7')
  expect(syntaxOf(undefined)).toBe('since-8.7')
})
