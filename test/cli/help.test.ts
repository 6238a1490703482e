import { describe, expect, test } from 'vitest'
import { BUNDLE_HELP, COMMAND_HELP } from '../../agent/cli/bundle/help.ts'
import { HELP } from '../../agent/cli/help.ts'
import { readKnownCommands } from '../docs/known-commands.ts'

/** Started by the program itself, and by nobody else. */
const INTERNAL = ['fetch']

const known = readKnownCommands()
const screens = { '': HELP, bundle: BUNDLE_HELP, ...COMMAND_HELP }

test.each(Object.entries(screens))('the screen of "%s" fits a terminal', (_, screen) => {
  expect(screen.split('\n').filter(line => line.length > 80)).toEqual([])
})

test('every command is named, on the screen that is its', () => {
  const names = [...known.keys()].filter(name => !INTERNAL.includes(name))
  const operators = names.filter(name => name.startsWith('bundle ')).map(name => name.slice(7))
  const named = (screen: string) =>
    [...screen.matchAll(/^ {2}([a-z][a-z-]*) /gm)].map(([, name]) => name)
  expect(named(HELP).toSorted()).toEqual(names.filter(name => !name.includes(' ')).toSorted())
  expect(named(BUNDLE_HELP)).toEqual(operators)
  expect(Object.keys(COMMAND_HELP)).toEqual(operators)
})

describe.each(Object.entries(COMMAND_HELP))('bundle %s --help', (name, screen) => {
  test('names flags that exist', () => {
    const flags = [...screen.matchAll(/^ {2}(?:-\w, )?--([a-z-]+)/gm)].map(([, flag]) => flag)
    const exist = known.get(`bundle ${name}`)?.flags
    expect(flags.filter(flag => !exist?.has(flag ?? ''))).toEqual([])
  })
})
