import { expect, test } from 'vitest'
import { failureOf } from '../../../agent/core/services/unit-failure.ts'

const unit = (fields: Record<string, string>) =>
  new Map(Object.entries({ LoadState: 'loaded', Result: 'success', ...fields }))

test.each<[string, Record<string, string>, string | undefined]>([
  ['at work', { ActiveState: 'active', SubState: 'running' }, undefined],
  ['over, and well', { ActiveState: 'inactive', SubState: 'dead' }, undefined],
  ['at work, whatever its last run was', { ActiveState: 'active', Result: 'exit-code' }, undefined],
  ['masked', { LoadState: 'masked', ActiveState: 'inactive' }, 'is masked'],
  ['of another release', { LoadState: 'not-found', ActiveState: 'inactive' }, 'is not there'],
  [
    'failed before its program began',
    { ActiveState: 'failed', Result: 'exit-code', ExecMainStatus: '243' },
    'has failed: 243/CREDENTIALS, a file could not be handed over',
  ],
  [
    'failed, with a status that has no name here',
    { ActiveState: 'failed', Result: 'exit-code', ExecMainStatus: '9' },
    'has failed: exit status 9',
  ],
  [
    'failed in a line before the main one',
    { ActiveState: 'failed', Result: 'exit-code', ExecMainStatus: '0' },
    'has failed',
  ],
  [
    'started again and again',
    {
      ...{ ActiveState: 'activating', SubState: 'auto-restart' },
      ...{ Result: 'exit-code', ExecMainStatus: '2' },
    },
    'has failed: exit status 2, its configuration',
  ],
  ['killed', { ActiveState: 'failed', Result: 'signal' }, 'has failed (signal)'],
  [
    'over, and failed without staying so',
    { ActiveState: 'inactive', Result: 'resources' },
    'has failed (resources)',
  ],
])('a unit that is %s', (_, fields, failure) => {
  expect(failureOf(unit(fields))).toBe(failure)
})
