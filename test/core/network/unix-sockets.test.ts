import { expect, test } from 'vitest'
import { isListening } from '../../../agent/core/network/unix-sockets.ts'

// As `cat /proc/net/unix` prints it.
const TABLE = `Num       RefCount Protocol Flags    Type St Inode Path
0000000000000000: 00000002 00000000 00010000 0001 01 1001 /run/listens.sock
0000000000000000: 00000003 00000000 00000000 0001 03 1002 /run/connected.sock
0000000000000000: 00000003 00000000 00000000 0001 03 1003
`

test.each([
  ['/run/listens.sock', true],
  ['/run/connected.sock', false],
  ['/run/listens', false],
  ['', false],
])('%s: %s', (path, listens) => {
  expect(isListening(TABLE, path)).toBe(listens)
})
