import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { AgentError } from '../../../agent/core/basics/agent-error.ts'
import { failedTo } from '../../../agent/core/outcome/failures.ts'
import { errorCode } from '../../../agent/provisioner/files/file-system.ts'

test('a failed system call has its code, also where it is said in full; an error of our own has none', () => {
  let failed: unknown
  try {
    readFileSync('/nowhere/at/all')
  } catch (error) {
    failed = error
  }
  expect(errorCode(failed)).toBe('ENOENT')
  expect(errorCode(failedTo('read', failed))).toBe('ENOENT')
  expect(errorCode(new AgentError('lock-held'))).toBeUndefined()
  expect(errorCode(new Error())).toBeUndefined()
})
