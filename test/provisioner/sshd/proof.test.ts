import { expect, test } from 'vitest'
import { findListeners } from '../../../agent/provisioner/sshd/listener.ts'
import { expectAgain, proveListening } from '../../../agent/provisioner/sshd/proof.ts'
import { type FakeProcess, fakeClock, processTable, sshd, tcpTable } from './fake-host.ts'

const OLD = { 39: sshd({ 'net/tcp': tcpTable(22, 80) }) }

async function prove(after: Record<number, FakeProcess>, ports = [22, 2222], before = OLD) {
  const clock = fakeClock()
  const expected = expectAgain(processTable(before), 39, ports)
  const table = processTable(after)
  await proveListening(async () => findListeners(table)[0], expected, table, clock)
  return clock.slept.reduce((sum, ms) => sum + ms, 0)
}

test('a new sshd that says so is enough at once', async () => {
  expect(await prove({ 40: sshd() })).toBe(0)
})

test('one that does not say so must have stayed up', async () => {
  expect(await prove({ 40: sshd({ cmdline: '/usr/sbin/sshd\0-D\0' }) })).toBeGreaterThanOrEqual(500)
})

test.each([
  ['the old one still runs', { 39: sshd() }, /old sshd \(process 39\)/],
  ['none', {}, /no sshd/],
  ['another port than before', { 40: sshd({ 'net/tcp': tcpTable(2222) }) }, /port 22 /],
  ['no port', { 40: sshd({ 'net/tcp': tcpTable() }) }, /port 22 /],
])('%s: not listening', async (_, after, message) => {
  await expect(prove(after)).rejects.toMatchObject({
    code: 'not-listening',
    message: expect.stringMatching(message),
  })
})

test('a port of its own that changes with the config is no fault', async () => {
  await prove({ 40: sshd({ 'net/tcp': tcpTable(2222) }) }, [2222])
  await expect(prove({ 40: sshd({ 'net/tcp': tcpTable(80) }) }, [2222])).rejects.toThrow(/2222/)
})

test('without a word on ports any will do', async () => {
  await prove({ 40: sshd({ 'net/tcp': tcpTable(4711) }) }, [])
  await expect(prove({ 40: sshd({ 'net/tcp': '' }) }, [])).rejects.toThrow(/any port/)
})
