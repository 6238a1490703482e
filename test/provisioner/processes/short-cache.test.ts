import { expect, test } from 'vitest'
import { recent } from '../../../agent/provisioner/processes/short-cache.ts'

test('an answer is believed for a second from when it was asked for', () => {
  let now = 5_000
  const answer = recent<string>(() => now)
  expect(answer.get()).toBeUndefined()
  answer.keep('yes', 4_500)
  now = 5_499
  expect(answer.get()).toBe('yes')
  now = 5_500
  expect(answer.get()).toBeUndefined()
  now = 4_499
  expect(answer.get()).toBeUndefined()
})

test('and until it is forgotten', () => {
  const answer = recent<string>(() => 0)
  answer.keep('yes', 0)
  answer.forget()
  expect(answer.get()).toBeUndefined()
})
