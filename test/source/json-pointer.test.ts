import { expect, test } from 'vitest'
import { lookUp, parseJsonPointer } from '../../agent/source/json-pointer.ts'

const at = (document: unknown, pointer: string) => {
  const tokens = parseJsonPointer(pointer)
  return tokens && lookUp(document, tokens)
}

// RFC 6901 §5.
const document = {
  foo: ['bar', 'baz'],
  '': 0,
  'a/b': 1,
  'c%d': 2,
  'e^f': 3,
  'g|h': 4,
  'i\\j': 5,
  'k"l': 6,
  ' ': 7,
  'm~n': 8,
}

test.each([
  ['', document],
  ['/foo', ['bar', 'baz']],
  ['/foo/0', 'bar'],
  ['/', 0],
  ['/a~1b', 1],
  ['/c%d', 2],
  ['/e^f', 3],
  ['/g|h', 4],
  ['/i\\j', 5],
  ['/k"l', 6],
  ['/ ', 7],
  ['/m~0n', 8],
])('%j', (pointer, value) => {
  expect(at(document, pointer)).toEqual(value)
})

test('~01 is ~1, not a slash', () => {
  expect(at({ '~1': 'x' }, '/~01')).toBe('x')
})

test.each([
  '/foo/2',
  '/foo/00',
  '/foo/01',
  '/foo/-',
  '/foo/-1',
  '/foo/length',
  '/foo/1e0',
  '/nope',
])('nothing at %s', pointer => {
  expect(at(document, pointer)).toBeUndefined()
})

test.each(['/constructor', '/__proto__', '/toString', '/foo/0/length', '/foo/0/0'])(
  'only own properties: %s',
  pointer => {
    expect(at(document, pointer)).toBeUndefined()
  },
)

test('a key called __proto__ is a key', () => {
  expect(at(JSON.parse('{"__proto__": {"x": "y"}}'), '/__proto__/x')).toBe('y')
})

test.each(['foo', '/a~', '/a~2', '~0', '#/foo'])('%s is no pointer', pointer => {
  expect(parseJsonPointer(pointer)).toBeUndefined()
})
