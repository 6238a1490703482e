import { expect, test } from 'vitest'
import { findPollClock } from '../../../agent/provisioner/records/next-poll.ts'

const NOW = new Date('2026-11-20T10:00:00Z')
const ask = (stdout: string, code = 0) =>
  findPollClock(NOW, 60_000, async () => ({ code, stdout, stderr: '' }))

test('the timer’s next elapse, counted from boot, as a time of day', async () => {
  expect(await ask('ActiveState=active\nNextElapseUSecMonotonic=1min 30s\n')).toEqual({
    by: 'timer',
    at: new Date('2026-11-20T10:00:30Z'),
  })
})

test.each(['infinity', '', '59s'])('under way: %j', async elapse => {
  expect(await ask(`ActiveState=active\nNextElapseUSecMonotonic=${elapse}\n`)).toEqual({
    by: 'timer',
  })
})

test('no timer, or no systemd', async () => {
  expect(await ask('ActiveState=inactive\nNextElapseUSecMonotonic=infinity\n')).toBeUndefined()
  expect(await ask('', 1)).toBeUndefined()
  const none = findPollClock(NOW, 0, () => Promise.reject(new Error('ENOENT')))
  expect(await none).toBeUndefined()
})

test.each([
  ['active', true],
  ['failed', false],
])('a daemon that stays, whatever the timer does: %s', async (state, running) => {
  const timer = 'ActiveState=active\nNextElapseUSecMonotonic=1min 30s\nUnitFileState=enabled\n'
  const service = (enabled: string) => `\nActiveState=${state}\nUnitFileState=${enabled}\n`
  expect(await ask(timer + service('enabled'))).toEqual({ by: 'resident', running })
  expect(await ask(timer + service('disabled'))).toMatchObject({ by: 'timer' })
})
