import { expect, test } from 'vitest'
import { leftOut, withRanges } from '../../../agent/core/network/address-list.ts'

// As addr_match_list() of OpenSSH would have every address of the range; the rest is on the safe side.
test.each<[list: string, range: string, covered: boolean]>([
  ['203.0.113.0/24', '203.0.113.0/24', true],
  ['203.0.113.0/24', '203.0.113.7', true],
  ['203.0.113.7', '203.0.113.7/32', true],
  ['203.0.0.0/16', '203.0.113.0/24', true],
  ['0.0.0.0/0', '203.0.113.0/24', true],
  ['203.0.113.0/25', '203.0.113.0/24', false],
  ['203.0.113.0/25,203.0.113.128/25', '203.0.113.0/24', true],
  ['203.0.113.0/25,203.0.113.128/26,203.0.113.192/26', '203.0.113.0/24', true],
  ['203.0.113.0/25,203.0.113.128/26,203.0.113.192/27', '203.0.113.0/24', false],
  ['203.0.112.0/24', '203.0.113.0/24', false],
  ['2001:db8::/32', '2001:db8:1::/48', true],
  ['2001:DB8:0::/32', '2001:db8::1', true],
  ['::/0', '203.0.113.0/24', false],
  ['0.0.0.0/0', '2001:db8::/32', false],
  ['*', '203.0.113.0/24', true],
  ['*', '2001:db8::/32', true],
  ['203.0.113.*', '203.0.113.0/24', true],
  ['203.*', '203.0.113.0/24', true],
  ['203.0.*.*', '203.0.113.0/24', false],
  ['203.0.1*', '203.0.113.0/24', false],
  ['!203.0.113.9,203.0.113.0/24', '203.0.113.0/24', false],
  ['203.0.113.0/24,!203.0.0.0/16', '203.0.113.0/24', false],
  ['!10.0.0.0/8,203.0.113.0/24', '203.0.113.0/24', true],
  ['none', '203.0.113.0/24', false],
  ['pomerium.example.com', '203.0.113.0/24', false],
  ['203.0.113.0/x', '203.0.113.0/24', false],
  ['203.0.113.0/24/1', '203.0.113.0/24', false],
  ['', '203.0.113.0/24', false],
])('%s has %s: %s', (list, range, covered) => {
  expect(leftOut([range], list.split(','))).toEqual(covered ? [] : [range])
  expect(leftOut([range], withRanges(list.split(','), [range]))).toEqual([])
})

test('a list keeps what is in it, but for what would keep a range out', () => {
  const list = ['10.0.0.0/8', '!203.0.113.9', '!192.0.2.1', 'name']
  expect(withRanges(list, ['203.0.113.0/24', '10.1.0.0/16'])).toEqual([
    '10.0.0.0/8',
    '!192.0.2.1',
    'name',
    '203.0.113.0/24',
  ])
})
