import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import {
  admitAgent,
  clearPlace,
  makeDaemonFolder,
} from '../../../agent/provisioner/server/own-socket.ts'

let outside: string
beforeEach(() => {
  outside = mkdtempSync(join(tmpdir(), 'own-socket-'))
})
afterEach(() => rmSync(outside, { recursive: true, force: true }))

const folder = () => ({ path: join(outside, 'run'), mode: 0o755 })
const socket = () => ({ path: join(outside, 'run/provisioner.sock'), mode: 0o660 })
const clear = () => clearPlace(socket(), folder())
const modeOf = (path: string) => statSync(path).mode & 0o777
const me = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 }

/** As a process that was killed leaves it. */
function leaveStale() {
  const { path } = socket()
  const listen = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`
  spawnSync(process.execPath, ['-e', listen])
  expect(statSync(path).isSocket()).toBe(true)
}

test('the folder is made, whatever the umask', async () => {
  const before = process.umask(0o077)
  expect(await clear()).toBeUndefined()
  process.umask(before)
  expect(modeOf(folder().path)).toBe(0o755)
  expect(await clear()).toBeUndefined()
})

test('a stale socket is replaced', async () => {
  await clear()
  leaveStale()
  expect(await clear()).toBeUndefined()
  expect(() => statSync(socket().path)).toThrow(/ENOENT/)
})

test('a socket on which somebody answers is left alone', async () => {
  await clear()
  const server = createServer().listen(socket().path)
  await once(server, 'listening')
  expect(await clear()).toMatch(/somebody listens/)
  admitAgent(socket(), me)
  expect(modeOf(socket().path)).toBe(0o660)
  server.close()
})

test('a file in the socket’s place is left alone', async () => {
  await clear()
  writeFileSync(socket().path, '')
  expect(await clear()).toMatch(/is not a socket/)
})

test('a folder that others may write to is refused', async () => {
  mkdirSync(folder().path)
  chmodSync(folder().path, 0o775)
  leaveStale()
  expect(await clear()).toMatch(/can be written by others/)
})

test('the daemon’s folder is made, or mended', () => {
  const place = { path: join(outside, 'daemon'), mode: 0o755 }
  makeDaemonFolder(place, me)
  makeDaemonFolder(place, me)
  expect(statSync(place.path)).toMatchObject(me)
})
