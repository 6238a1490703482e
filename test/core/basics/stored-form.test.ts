import { expect, test } from 'vitest'
import {
  base64,
  count,
  listOf,
  mapOf,
  oneOf,
  parseForm,
  path,
  shape,
  text,
  time,
} from '../../../agent/core/basics/stored-form.ts'

const form = shape({ name: text, all: listOf(count) }, { at: time })

test.each([
  ['{"name":"a","all":[1]}', true],
  ['{"name":"a","all":[],"at":"2026-11-20T10:00:00.000Z","later":{}}', true],
  ['{"name":"a"}', false],
  ['{"name":7,"all":[]}', false],
  ['{"name":"a","all":[null]}', false],
  ['{"name":"a","all":[-1]}', false],
  ['{"name":"a","all":[1.5]}', false],
  ['{"name":"a","all":{}}', false],
  ['{"name":"a","all":[],"at":"soon"}', false],
  ['{"name":"a","all":[],"at":null}', false],
  ['{"__proto__":{"name":"a","all":[]}}', false],
  ['[]', false],
  ['null', false],
  ['"text"', false],
  ['', false],
  ['{"name":"a","all"', false],
])('%s', (json, good) => {
  expect(parseForm(json, form) !== undefined).toBe(good)
})

test('a field is its own, not one of every object', () => {
  expect(parseForm('{}', shape({ toString: text }))).toBeUndefined()
  expect(parseForm('{}', shape({ constructor: mapOf(text) }))).toBeUndefined()
  expect(parseForm('{"version":"1"}', shape({ version: oneOf(1) }))).toBeUndefined()
})

test('bytes are base64 as it is written, a path is absolute', () => {
  expect([base64('YQ=='), base64('YQ'), base64('a b'), base64('')]).toEqual([
    true,
    false,
    false,
    true,
  ])
  expect([path('/a'), path('a'), path('/a\0'), path(7)]).toEqual([true, false, false, false])
})
