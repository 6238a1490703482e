import { expect, test } from 'vitest'
import { findConfinement } from '../../../agent/provisioner/fetch/confinement.ts'
import type { Run } from '../../../agent/provisioner/processes/run-command.ts'

/** A setpriv that takes these flags and no others; 127 is none at all. */
const takes =
  (known: RegExp): Run =>
  async argv => {
    const flags = argv.slice(1, -1).filter(word => word.startsWith('-'))
    return { code: flags.every(flag => known.test(flag)) ? 0 : 1, stdout: '', stderr: '' }
  }
const user = { uid: 65534, gid: 65533 }
const IDS = ['--reuid=65534', '--regid=65533', '--clear-groups', '--inh-caps=-all']

test.each<[what: string, run: Run, flags: string[], identity: object]>([
  [
    'all of it',
    takes(/./),
    ['--no-new-privs', '--pdeathsig', 'KILL', ...IDS, '--bounding-set=-all'],
    {},
  ],
  [
    'in a container whose root lacks CAP_SETPCAP',
    takes(/^--(?!bounding)/),
    ['--no-new-privs', '--pdeathsig', 'KILL', ...IDS],
    {},
  ],
  ['as busybox has it', takes(/^--(no-new-privs|inh-caps|ambient-caps)/), ['--no-new-privs'], user],
])('%s', async (_, run, flags, identity) => {
  expect(await findConfinement(user, run)).toEqual({ prefix: ['setpriv', ...flags], identity })
})

test('without setpriv the change of user is left', async () => {
  const run: Run = async () => ({ code: 127, stdout: '', stderr: '' })
  expect(await findConfinement(user, run)).toEqual({ prefix: [], identity: user })
  expect(await findConfinement(undefined, run)).toEqual({ prefix: [], identity: {} })
})

test('who is not root asks for what anybody may', async () => {
  expect(await findConfinement(undefined, takes(/./))).toEqual({
    prefix: ['setpriv', '--no-new-privs', '--pdeathsig', 'KILL'],
    identity: {},
  })
})

test('this machine’s own setpriv is asked, and what it took works', async () => {
  const { prefix } = await findConfinement(undefined)
  expect([0, 4]).toContain(prefix.length)
})
