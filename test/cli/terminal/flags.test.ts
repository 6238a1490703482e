import { expect, test } from 'vitest'
import { parseFlags, parseHostFlags } from '../../../agent/cli/terminal/flags.ts'

const options = {
  output: { type: 'string', short: 'o' },
  revoke: { type: 'string', multiple: true },
  'json-pointer': { type: 'string' },
} as const

test.each([
  [['--output', ''], '--output'],
  [['--output='], '--output'],
  [['-o', ''], '--output'],
  [['--revoke', 'a.pub', '--revoke', ''], '--revoke'],
])('a flag without anything in it is named, and refused: %j', (args, name) => {
  expect(() => parseFlags({ args, options })).toThrow(`${name} is empty`)
})

test.each([['--root'], ['--config']])('%s of a host is no exception', name => {
  expect(() => parseHostFlags([name, ''])).toThrow(
    expect.objectContaining({
      code: 'usage',
      message: expect.stringContaining(`${name} is empty`),
    }),
  )
})

test('a JSON pointer may be empty, and is the whole document then', () => {
  const { values } = parseFlags({ args: ['--json-pointer', ''], options })
  expect(values).toEqual({ 'json-pointer': '' })
})
