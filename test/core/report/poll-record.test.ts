import { expect, test } from 'vitest'
import { NO_POLLS, parsePollRecord } from '../../../agent/core/report/poll-record.ts'

const AT = '2026-11-20T10:00:00.000Z'

test('notes are read as they were written', () => {
  const lastPoll = { at: AT, outcome: 'unchanged', message: 'nothing new' }
  const polls = {
    version: 1,
    lastPoll,
    lastSuccess: AT,
    clockSkewSeconds: -3,
    nextPoll: AT,
    held: true,
    cycles: { applied: 2 },
  }
  expect(parsePollRecord(JSON.stringify(polls))).toEqual(polls)
})

test.each([
  '',
  '{',
  'null',
  '[]',
  '{"version":2,"cycles":{}}',
  '{"version":1,"cycles":null}',
  '{"version":1,"cycles":{"applied":-1}}',
  '{"version":1,"cycles":{"applied":"many"}}',
  '{"version":1,"cycles":{},"lastSuccess":"soon"}',
  '{"version":1,"cycles":{},"lastPoll":{"at":"never"}}',
  '{"version":1,"cycles":{},"lastPoll":null}',
  '{"version":1,"cycles":{},"lastPoll":{}}',
  '{"version":1,"cycles":{},"clockSkewSeconds":"fast"}',
  '{"version":1,"cycles":{},"held":"tight"}',
])('damaged ones are none: %j', text => {
  expect(parsePollRecord(text)).toEqual(NO_POLLS)
})

test('nothing in them moves the cursor of a terminal', () => {
  const lastPoll = { at: AT, outcome: 'refused', message: '\u001b[2Jgone\u009b' }
  const { lastPoll: read } = parsePollRecord(JSON.stringify({ version: 1, cycles: {}, lastPoll }))
  expect(read?.message).toBe('?[2Jgone?')
})
