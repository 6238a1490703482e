import { expect, test } from 'vitest'
import { listenDescriptor } from '../../../agent/core/network/listen-descriptor.ts'

test('listenDescriptor takes what was meant for this process', () => {
  expect(listenDescriptor({ LISTEN_PID: '7', LISTEN_FDS: '1' }, 7)).toBe(3)
  expect(listenDescriptor({ LISTEN_PID: '8', LISTEN_FDS: '1' }, 7)).toBeUndefined()
  expect(listenDescriptor({}, 7)).toBeUndefined()
})
