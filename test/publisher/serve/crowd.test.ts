// One address that holds all it can, and an honest host at another.

import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { expect, onTestFinished, test } from 'vitest'
import { waitFor } from '../../machine/harness/wait-for.ts'
import { OTHER, type TestServer, useServer } from './with-server.ts'

const [ATTACKER, HONEST] = ['127.0.0.2', '127.0.0.3']
const connections = 64
/** Of these an eighth is kept for those who do not wait. */
const WAITS = 56

async function dial(it: TestServer, from: string): Promise<Socket> {
  const host = '127.0.0.1'
  const socket = connect({ port: it.serving.address.port, host, localAddress: from })
  onTestFinished(() => void socket.destroy())
  socket.on('error', () => {})
  await once(socket, 'connect')
  return socket
}

async function poll(it: TestServer, seconds = 60): Promise<string> {
  const etag = (await it.get()).headers.get('etag')
  return `GET /bundle HTTP/1.1\r\nhost: x\r\nif-none-match: ${etag}\r\nprefer: wait=${seconds}\r\n\r\n`
}

const held = (it: TestServer, count: number) =>
  waitFor(`${count} held requests`, async () =>
    (await (await it.get({}, '/metrics')).text()).includes(`held_requests ${count}\n`),
  )

test.each([1, 4_000])('%i requests behind one that is held end the connection', async count => {
  const it = await useServer()
  const request = await poll(it)
  const socket = await dial(it, ATTACKER)
  socket.write(request.repeat(1 + count))
  // A reset is an end too.
  expect(await text(socket).catch(() => '')).not.toMatch(/HTTP\/1.1 (?!304)/)
  await held(it, 0)
  expect(it.errors).toEqual([])
})

test('held requests: the crowd’s oldest gives way, and the honest one is told of the change', async () => {
  const it = await useServer(undefined, { connections })
  const request = await poll(it)
  const crowd = await Promise.all(Array.from({ length: WAITS }, () => dial(it, ATTACKER)))
  for (const socket of crowd) socket.write(request)
  await held(it, WAITS)
  const honest = await dial(it, HONEST)
  honest.write(request)
  // One of the crowd is answered at once, as if its time were over.
  const answered = await Promise.race(
    crowd.map(async socket => String((await once(socket, 'data'))[0])),
  )
  expect(answered).toMatch(/^HTTP\/1.1 304 /)
  await held(it, WAITS)
  const heard = once(honest, 'data')
  it.put(`# serial: 2\n${OTHER}\n`)
  expect(String((await heard)[0])).toMatch(/^HTTP\/1.1 200 /)
})

test('connections: an address that has them all keeps no other out, nor one held there', async () => {
  const it = await useServer(undefined, { connections })
  const request = await poll(it)
  const first = await dial(it, HONEST)
  first.write(request)
  await held(it, 1)
  const crowd = await Promise.all(Array.from({ length: 200 }, () => dial(it, ATTACKER)))
  for (const socket of crowd) socket.write('GET /bundle HTTP/1.1\r\n')
  const second = await dial(it, HONEST)
  second.write(request)
  await held(it, 2)
  const heard = [once(first, 'data'), once(second, 'data')]
  it.put(`# serial: 2\n${OTHER}\n`)
  for (const each of heard) expect(String((await each)[0])).toMatch(/^HTTP\/1.1 200 /)
})

test('behind a proxy, which is one address, all of them are for its clients', async () => {
  const it = await useServer(undefined, { connections })
  const request = await poll(it)
  const clients = await Promise.all(Array.from({ length: WAITS }, () => dial(it, ATTACKER)))
  for (const socket of clients) socket.write(request)
  await held(it, WAITS)
  // No seat is taken from one client of it for the next: that one is answered at once.
  const more = await dial(it, ATTACKER)
  more.write(request)
  expect(String((await once(more, 'data'))[0])).toMatch(/^HTTP\/1.1 304 /)
  await held(it, WAITS)
})
