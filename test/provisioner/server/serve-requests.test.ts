import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import type { Outcome } from '../../../agent/core/outcome/outcome.ts'
import {
  decodeReply,
  encodeRequest,
  MAX_REQUEST_BYTES,
  type ProvisionRequest,
} from '../../../agent/core/protocol/provision-protocol.ts'
import { type Serving, serveRequests } from '../../../agent/provisioner/server/serve-requests.ts'

const AGENT = join(import.meta.dirname, '../../../agent')
const OUTCOME: Outcome = { outcome: 'unchanged', message: '', steps: [], trusted: [] }
let folder: string
let path: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'socket-'))
  path = join(folder, 'provisioner.sock')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** Serves until idle; returns once it listens, with the promise of its end. */
async function serve(options: Partial<Serving> = {}): Promise<{ ended: Promise<void> }> {
  let ended: Promise<void> = Promise.resolve()
  await new Promise<void>(resolve => {
    ended = serveRequests({
      listen: { path },
      handle: async () => OUTCOME,
      idleMs: 150,
      requestMs: 200,
      onListening: resolve,
      ...options,
    })
    ended.catch(() => {})
  })
  return { ended }
}

/** Sends bytes and returns all that comes back. */
async function send(bytes: string | Buffer, { end = false } = {}): Promise<string> {
  const socket = connect(path)
  socket.on('error', () => {})
  if (end) socket.end(bytes)
  else socket.write(bytes)
  return text(socket)
}

describe('serveRequests', () => {
  test('hands the request over whole and answers with the outcome', async () => {
    const seen: ProvisionRequest[] = []
    // Long enough for the second request to come on a machine that is busy.
    const { ended } = await serve({
      idleMs: 2_000,
      handle: async request => {
        seen.push(request)
        return OUTCOME
      },
    })
    const bundle = Buffer.alloc(64 * 1024, 'x')
    const reply = decodeReply(await send(encodeRequest({ op: 'apply', bundle })))
    expect(reply).toEqual({ kind: 'outcome', outcome: OUTCOME })
    expect(decodeReply(await send(encodeRequest({ op: 'repair' })))).toEqual(reply)
    expect(seen).toEqual([{ op: 'apply', bundle }, { op: 'repair' }])
    await ended
  })

  test('serves one at a time, however many ask', async () => {
    let running = 0
    let most = 0
    await serve({
      handle: async () => {
        running += 1
        most = Math.max(most, running)
        await new Promise(resolve => setTimeout(resolve, 5))
        running -= 1
        return OUTCOME
      },
    })
    const replies = await Promise.all(
      Array.from({ length: 10 }, () => send(encodeRequest({ op: 'repair' }))),
    )
    expect(new Set(replies.map(reply => decodeReply(reply).kind))).toEqual(new Set(['outcome']))
    expect(most).toBe(1)
  })

  test('tells of a knock, but of none while there is work', async () => {
    let knocks = 0
    const working = Promise.withResolvers<Outcome>()
    const began = Promise.withResolvers<void>()
    await serve({
      onKnock: () => {
        knocks += 1
      },
      handle: () => {
        began.resolve()
        return working.promise
      },
    })
    const knock = connect(path)
    await once(knock, 'connect')
    knock.destroy()
    const replies = [send(encodeRequest({ op: 'repair' }))]
    await began.promise
    expect(knocks).toBe(2)
    replies.push(send(encodeRequest({ op: 'repair' })))
    const late = connect(path)
    await once(late, 'connect')
    // A turn of the loop from when the kernel has it, the server has it.
    for (let turn = 0; turn < 2; turn++) await new Promise(resolve => setImmediate(resolve))
    late.destroy()
    working.resolve(OUTCOME)
    await Promise.all(replies)
    expect(knocks).toBe(2)
  })

  test.each([
    ['no JSON', 'hello\n'],
    ['no object', '[]\n'],
    ['an unknown op', '{"op":"run","argv":["sh"]}\n'],
    ['more than it takes', '{"op":"repair","path":"/etc/shadow"}\n'],
    ['a bundle that is not base64', '{"op":"apply","bundle":"!!"}\n'],
    ['a line without end', 'x'.repeat(MAX_REQUEST_BYTES + 1)],
  ])('answers %s by saying so, and goes on serving', async (_, line) => {
    await serve({ handle: async () => OUTCOME })
    expect(decodeReply(await send(line))).toMatchObject({ kind: 'malformed' })
    expect(decodeReply(await send(encodeRequest({ op: 'repair' })))).toMatchObject({
      kind: 'outcome',
    })
  })

  test('cuts a peer that says nothing, and serves the next', async () => {
    await serve()
    const silent = connect(path)
    await once(silent, 'connect')
    const cut = once(silent, 'close').then(() => 'cut')
    const reply = send(encodeRequest({ op: 'repair' }))
    expect(await Promise.race([cut, reply])).toContain('outcome')
    expect(await cut).toBe('cut')
  })

  test('cuts a peer that goes on talking behind its request', async () => {
    const { ended } = await serve()
    const socket = connect(path)
    socket.on('error', () => {})
    socket.write(encodeRequest({ op: 'report' }))
    const drip = setInterval(() => socket.write('x'), 50)
    await ended
    clearInterval(drip)
    socket.destroy()
  })

  test('a bug is told to the peer and ends the process', async () => {
    const { ended } = await serve({ handle: () => Promise.reject(new Error('a bug')) })
    const reply = decodeReply(await send(encodeRequest({ op: 'repair' })))
    expect(reply).toEqual({ kind: 'failed', message: 'a bug' })
    await expect(ended).rejects.toThrow('a bug')
  })

  test('leaves when idle', async () => {
    const { ended } = await serve()
    await ended
    await expect(send('x')).rejects.toThrow(/ENOENT/)
  })

  test('told to stop, finishes what has begun and leaves', async () => {
    const stop = new AbortController()
    const working = Promise.withResolvers<Outcome>()
    const began = Promise.withResolvers<void>()
    const { ended } = await serve({
      signal: stop.signal,
      handle: () => {
        began.resolve()
        return working.promise
      },
    })
    const reply = send(encodeRequest({ op: 'repair' }))
    await began.promise
    // Cut, accepted or not.
    const late = send(encodeRequest({ op: 'repair' })).catch(() => '')
    stop.abort()
    working.resolve(OUTCOME)
    expect(decodeReply(await reply)).toMatchObject({ kind: 'outcome' })
    expect(await late).toBe('')
    await ended
    await expect(send('x')).rejects.toThrow(/ENOENT/)
  })
})

// Serves for a minute without a request, and is told to stop while somebody is connected.
const PROGRAM = `
import { serveRequests } from '${AGENT}/provisioner/server/serve-requests.ts'
const stop = new AbortController()
await serveRequests({
  listen: { path: process.argv[1] },
  onListening: () => process.stdout.write('listening'),
  onKnock: () => stop.abort(),
  handle: async () => { throw new Error('nothing was asked') },
  signal: stop.signal,
  idleMs: 60_000,
  requestMs: 60_000,
})
`

test('told to stop while somebody is connected, nothing keeps the process', async () => {
  const child = spawn(process.execPath, ['--input-type=module', '-e', PROGRAM, path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  connect(path)
    .on('error', () => {})
    .resume()
  expect(await once(child, 'close')).toEqual([0, null])
})

test('those who come and leave without a word keep nobody out', async () => {
  await serve({ idleMs: 500, requestMs: 60_000 })
  for (let knock = 0; knock < 40; knock++) {
    const socket = connect(path)
    await once(socket, 'connect')
    socket.destroy()
  }
  // Those that are only half gone too.
  const halves = Array.from({ length: 16 }, () => connect({ path, allowHalfOpen: true }).end())
  await Promise.all(halves.map(socket => once(socket.resume(), 'close')))
  expect(decodeReply(await send(encodeRequest({ op: 'repair' })))).toMatchObject({
    kind: 'outcome',
  })
})
