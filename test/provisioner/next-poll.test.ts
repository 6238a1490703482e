import { expect, test } from 'vitest'
import { nextTimedPoll } from '../../agent/provisioner/next-poll.ts'

const NOW = new Date('2026-11-20T10:00:00Z')
const ask = (stdout: string, code = 0) =>
  nextTimedPoll(NOW, 60_000, async () => ({ code, stdout, stderr: '' }))

test('the timer’s next elapse, counted from boot, as a time of day', async () => {
  expect(await ask('ActiveState=active\nNextElapseUSecMonotonic=1min 30s\n')).toEqual({
    at: new Date('2026-11-20T10:00:30Z'),
  })
})

test.each(['infinity', '', '59s'])('under way: %j', async elapse => {
  expect(await ask(`ActiveState=active\nNextElapseUSecMonotonic=${elapse}\n`)).toEqual({})
})

test('no timer, or no systemd', async () => {
  expect(await ask('ActiveState=inactive\nNextElapseUSecMonotonic=infinity\n')).toBeUndefined()
  expect(await ask('', 1)).toBeUndefined()
  const none = nextTimedPoll(NOW, 0, () => Promise.reject(new Error('ENOENT')))
  expect(await none).toBeUndefined()
})
