import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fairSeats, networkOf } from '../../agent/http/fair-seats.ts'

test.each([
  ['192.0.2.7', '192.0.2.7'],
  ['::ffff:192.0.2.7', '192.0.2.7'],
  ['2001:db8:1:2::1', networkOf('2001:db8:1:2:ffff::9')],
  ['fe80::1%eth0', networkOf('fe80::2')],
  [undefined, ''],
  ['__proto__', '__proto__'],
])('%s is of the network %s', (address, network) => expect(networkOf(address)).toBe(network))

test('another /64 is another network, and so is another address of IPv4', () => {
  expect(networkOf('2001:db8:1:2::1')).not.toBe(networkOf('2001:db8:1:3::1'))
  expect(networkOf('::1')).not.toBe(networkOf('::ffff:0.0.0.1'))
  expect(networkOf('192.0.2.7')).not.toBe(networkOf('192.0.2.8'))
})

/** Takes seats by address; `*` behind it is a busy one. Who went is listed. */
function sit(most: number, ...words: string[]) {
  const gone: string[] = []
  const seats = fairSeats(most)
  const took = words.map(
    word =>
      seats.take({
        address: word.replace('*', '').replace(/#.*/, ''),
        isIdle: () => !word.endsWith('*'),
        leave: () => gone.push(word),
      }) !== undefined,
  )
  return { gone, took, taken: seats.taken() }
}

describe('where all seats are taken', () => {
  test.each<[what: string, words: string[], gone: string[], last: boolean]>([
    ['the largest network’s oldest idle one goes', ['a#1*', 'a#2', 'a#3', 'b'], ['a#2'], true],
    ['its oldest where none is idle', ['a#1*', 'a#2*', 'a#3*', 'b'], ['a#1*'], true],
    ['not an idle one of a small network', ['b', 'a#1*', 'a#2*', 'c'], ['a#1*'], true],
    ['of its own network, the oldest idle', ['a#1*', 'a#2', 'a#3', 'a#4'], ['a#2'], true],
    ['none of its own that is busy', ['a#1*', 'a#2*', 'a#3*', 'a#4'], [], false],
    ['none busy where all have the same', ['a*', 'b*', 'c*', 'd'], [], false],
    ['but an idle one', ['a*', 'b', 'c*', 'd'], ['b'], true],
    ['never of a smaller network', ['a#1*', 'a#2*', 'b', 'a#3'], [], false],
  ])('%s', (_, words, gone, last) => {
    const it = sit(3, ...words)
    expect([it.gone, it.took.at(-1)]).toEqual([gone, last])
    expect(it.taken).toBe(3)
  })
})

test('a seat is given back once, and not by whom it was taken from', () => {
  const seats = fairSeats(1)
  const sitter = (address: string) => ({ address, isIdle: () => true, leave() {} })
  const first = seats.take(sitter('a'))
  const second = seats.take(sitter('b'))
  first?.()
  expect(seats.taken()).toBe(1)
  second?.()
  second?.()
  expect(seats.taken()).toBe(0)
})

test('whoever comes, a network below its fair share is never refused, nor loses a busy one', () => {
  const arrivals = fc.array(fc.record({ network: fc.nat(5), busy: fc.boolean() }), {
    maxLength: 80,
  })
  fc.assert(
    fc.property(arrivals, fc.integer({ min: 1, max: 12 }), (all, most) => {
      const seats = fairSeats(most)
      const sitting = new Map<string, number>()
      const networks = new Set(all.map(({ network }) => network)).size
      const count = (name: string, by: number) => sitting.set(name, (sitting.get(name) ?? 0) + by)
      for (const { network, busy } of all) {
        const address = `192.0.2.${network}`
        const before = new Map(sitting)
        const taken = seats.take({
          address,
          isIdle: () => !busy,
          leave: () => {
            if (busy) expect(sitting.get(address)).toBeGreaterThan(Math.floor(most / networks))
            count(address, -1)
          },
        })
        if (taken !== undefined) count(address, 1)
        else expect((before.get(address) ?? 0) + 1).toBeGreaterThanOrEqual(most / networks)
        expect(seats.taken()).toBeLessThanOrEqual(most)
      }
    }),
  )
})
