import { describe, expect, test } from 'vitest'
import { readJsonBundle } from '../../agent/source/json-bundle.ts'
import { BUNDLE, text } from './with-control-plane.ts'

const line = BUNDLE.trimEnd()
const [type = '', blob = ''] = line.split(' ')

const read = (value: unknown) => {
  const bytes = new TextEncoder().encode(JSON.stringify({ at: value }))
  const taken = readJsonBundle(bytes, '/at', 'https://ca.example.com/')
  return 'kind' in taken ? taken.code : text(taken)
}

describe('what a JSON pointer may lead to', () => {
  test.each<[string, unknown, string]>([
    ['a string is the bundle, byte for byte', BUNDLE, BUNDLE],
    ['a list of strings is its lines', [line, '# more', line], `${line}\n# more\n${line}`],
    ['a bare key blob, as step-ca gives it, is told its type', [blob], `${type} ${blob}`],
    ['also alone', blob, `${type} ${blob}`],
    ['what only looks like a blob is left as it is', 'AAAAAAAA', 'AAAAAAAA'],
    ['also where it is too short to hold a length', 'AAAAA', 'AAAAA'],
    ['or says that it is longer than it is', `AAAA/${blob.slice(5)}`, `AAAA/${blob.slice(5)}`],
    ['a list with anything else in it is none', [line, 1], 'json'],
    ['nor is an empty one', [], 'json'],
  ])('%s', (_, value, expected) => {
    expect(read(value)).toBe(expected)
  })
})
