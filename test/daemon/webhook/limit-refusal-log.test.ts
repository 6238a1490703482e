import { join } from 'node:path'
import { expect, test } from 'vitest'
import { limitRefusalLog } from '../../../agent/daemon/webhook/limit-refusal-log.ts'
import { tempDir } from '../../sshd/temp-dir.ts'

test('one refusal in ten seconds is told, whichever process it came to; the rest are counted', async () => {
  await using folder = await tempDir()
  const path = join(folder.path, 'refusals')
  let now = 1_800_000_000_000
  const first = limitRefusalLog(path, () => now)
  expect(first()).toEqual({ tell: true, untold: 0 })
  for (let n = 0; n < 1000; n++) expect(first()).toEqual({ tell: false })
  now += 9_999
  expect(limitRefusalLog(path, () => now)()).toEqual({ tell: false })
  now += 1
  expect(first()).toEqual({ tell: true, untold: 1000 })
  // A clock that was set back does not silence it.
  now -= 60_000
  expect(first()).toEqual({ tell: true, untold: 0 })
})

test('a folder that can not be written to changes nothing for this process', () => {
  let now = 1_800_000_000_000
  const pace = limitRefusalLog('/proc/none/refusals', () => now)
  expect(pace()).toEqual({ tell: true, untold: 0 })
  now += 1
  expect(pace()).toEqual({ tell: false })
})
