import { expect, test } from 'vitest'
import { whyUnsafe } from '../../../agent/core/basics/root-only-path.ts'

test.each([
  ['a file of root', 0, 0o100640, undefined],
  ['a folder of root', 0, 0o40755, undefined],
  ['of somebody else', 998, 0o40755, /belongs to user 998/],
  ['for the group to write', 0, 0o100660, /written by others/],
  ['for all to write', 0, 0o40777, /written by others/],
  ['sticky, as /tmp', 0, 0o41777, undefined],
])('%s', (_, uid, mode, why) => {
  if (why === undefined) expect(whyUnsafe({ uid, mode }, 0)).toBeUndefined()
  else expect(whyUnsafe({ uid, mode }, 0)).toMatch(why)
})
