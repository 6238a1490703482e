import { expect, test } from 'vitest'
import { entityTagOf, matchesTag } from '../../agent/http/entity-tag.ts'

const TAG = entityTagOf(Buffer.from('a bundle'))

test('the tag is strong, and of the bytes alone', () => {
  expect(TAG).toMatch(/^"[\w-]{43}"$/)
  expect(entityTagOf(Buffer.from('a bundle'))).toBe(TAG)
  expect(entityTagOf(Buffer.from('a bundle\n'))).not.toBe(TAG)
})

test.each([
  [TAG, true],
  [`W/${TAG}`, true],
  [`"other", ${TAG}`, true],
  ['*', true],
  ['"other"', false],
  [TAG.slice(1, -1), false],
  ['', false],
  [undefined, false],
])('If-None-Match: %s', (header, matches) => {
  expect(matchesTag(header, TAG)).toBe(matches)
})
