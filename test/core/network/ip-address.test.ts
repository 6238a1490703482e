import { isIP } from 'node:net'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseIpAddress } from '../../../agent/core/network/ip-address.ts'

test.each([
  ['203.0.113.7', [203, 0, 113, 7]],
  ['::1', [...new Array(15).fill(0), 1]],
  ['2001:db8::ff00:42', [0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0, 0, 0x42]],
  ['::ffff:1.2.3.4', [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 1, 2, 3, 4]],
])('%s', (text, bytes) => expect(parseIpAddress(text)).toEqual(bytes))

test('what is an address here is one to the platform, and the other way round', () => {
  const text = fc.oneof(
    fc.ipV4(),
    fc.ipV6(),
    fc.string({ unit: fc.constantFrom(...'0123456789abf.:%/x') }),
  )
  fc.assert(
    fc.property(text, text => {
      fc.pre(!text.includes('%'))
      expect(parseIpAddress(text) !== undefined).toBe(isIP(text) !== 0)
    }),
    { numRuns: 5000 },
  )
})
