import { afterEach, expect, test } from 'vitest'
import { localTime } from '../../../agent/provisioner/openssh/local-time.ts'

const zone = process.env.TZ
afterEach(() => {
  if (zone === undefined) delete process.env.TZ
  else process.env.TZ = zone
})

test.each([
  ['Europe/Berlin', '2026-07-01T10:00:00Z', '2026-07-01T11:00:00Z'],
  ['America/New_York', '2026-07-01T16:00:00Z', '2026-07-01T17:00:00Z'],
  ['Asia/Tokyo', '2026-07-01T03:00:00Z', '2026-07-01T03:00:00Z'],
  ['UTC', '2026-07-01T12:00:00Z', '2026-07-01T12:00:00Z'],
])('noon in %s is between %s and %s', (zone, earliest, latest) => {
  process.env.TZ = zone
  expect(localTime(2026, 7, 1, 12, 0, 0)).toEqual({
    earliest: new Date(earliest),
    latest: new Date(latest),
  })
})
