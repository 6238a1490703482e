import { expect, test } from 'vitest'
import { rememberPublished } from '../../../agent/core/keys/published-keys.ts'

test('the latest last, each once, and the same again where nothing is new', () => {
  const [one, two] = [rememberPublished([], ['a', 'b']), rememberPublished(['a', 'b'], ['b', 'c'])]
  expect([one, two]).toEqual([
    ['a', 'b'],
    ['a', 'b', 'c'],
  ])
  expect(rememberPublished(two, ['b', 'c'])).toEqual(two)
})

test('a publisher that runs wild makes no end of it; what it names now is never forgotten', () => {
  const wild = Array.from({ length: 10_000 }, (_, index) => `SHA256:${index}`)
  const kept = rememberPublished(wild, ['SHA256:0'])
  expect(kept).toHaveLength(4096)
  expect(kept.at(-1)).toBe('SHA256:0')
})
