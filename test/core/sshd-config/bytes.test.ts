import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bytesOf, fromBytes, showBytes } from '../../../agent/core/sshd-config/bytes.ts'

test('bytes come back as they were', () => {
  fc.assert(
    fc.property(fc.uint8Array(), bytes => {
      expect(fromBytes(bytesOf(bytes))).toEqual(Buffer.from(bytes))
    }),
  )
})

test.each([
  ['/etc/ssh/x.conf', '/etc/ssh/x.conf'],
  [bytesOf(Buffer.from('/müller')), '/müller'],
  ['/m\xfcller', '/m\\xfcller'],
  ['a\x1b[2Jb\nc\0', 'a\\x1b[2Jb\\x0ac\\x00'],
  [bytesOf(Buffer.from('\u{202e}')), '\\u{202e}'],
])('%j is shown as %s', (bytes, shown) => {
  expect(showBytes(bytes)).toBe(shown)
})
