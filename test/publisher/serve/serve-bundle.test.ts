import { rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { expect, test } from 'vitest'
import { makeTestTls } from '../../control-plane/test-tls.ts'
import { waitFor } from '../../machine/harness/wait-for.ts'
import { FIRST, OTHER, type TestServer, useServer } from './with-server.ts'

const TOKEN = '0123456789abcdef'
const tagOf = async (response: Response) => {
  await response.arrayBuffer()
  return response.headers.get('etag') ?? ''
}

test('the bytes of the file, with a strong tag that caches must ask about', async () => {
  const it = await useServer()
  const response = await it.get()
  expect(response.status).toBe(200)
  expect(Object.fromEntries(response.headers)).toMatchObject({
    etag: expect.stringMatching(/^"/),
    'cache-control': 'no-cache',
    'content-type': 'text/plain; charset=utf-8',
  })
  expect(await response.text()).toBe(`# serial: 1\n${FIRST}\n`)
})

test('304 to whoever has it, and no body to HEAD', async () => {
  const it = await useServer()
  const etag = await tagOf(await it.get())
  const again = await it.get({ 'if-none-match': `W/${etag}` })
  expect([again.status, again.headers.get('etag')]).toEqual([304, etag])
  const head = await it.get({}, '/', 'HEAD')
  expect([head.status, await head.text()]).toEqual([200, ''])
  expect(head.headers.get('content-length')).not.toBe('0')
})

test.each([
  ['/other', 'GET', 404],
  ['/bundle/', 'GET', 404],
  ['/bundle', 'POST', 405],
  ['/bundle?x=1', 'GET', 200],
])('%s by %s: %i', async (path, method, status) => {
  const it = await useServer()
  expect((await it.get({}, path, method)).status).toBe(status)
})

test('a long poll is answered with the change, at once', async () => {
  const it = await useServer()
  const etag = await tagOf(await it.get())
  const polls = Array.from({ length: 20 }, () =>
    it.get({ 'if-none-match': etag, prefer: 'wait=60' }),
  )
  await held(it, 20)
  const start = performance.now()
  it.put(`# serial: 2\n${OTHER}\n`)
  for (const response of await Promise.all(polls)) {
    expect([response.status, response.headers.get('preference-applied')]).toEqual([200, 'wait=60'])
    expect(await response.text()).toContain(OTHER)
  }
  expect(performance.now() - start).toBeLessThan(2_000)
})

test('a long poll without a change is 304 after N seconds', async () => {
  const it = await useServer()
  const etag = await tagOf(await it.get())
  const start = performance.now()
  const response = await it.get({ 'if-none-match': etag, prefer: 'wait=1' })
  expect(performance.now() - start).toBeGreaterThan(990)
  expect([response.status, response.headers.get('preference-applied')]).toEqual([304, 'wait=1'])
})

test('whoever has another edition does not wait', async () => {
  const it = await useServer()
  const response = await it.get({ 'if-none-match': '"old"', prefer: 'wait=60' })
  expect([response.status, response.headers.get('preference-applied')]).toEqual([200, null])
})

test('where too many wait, the next is answered at once', async () => {
  const it = await useServer(undefined, { connections: 16 })
  const etag = await tagOf(await it.get())
  const poll = () => it.get({ 'if-none-match': etag, prefer: 'wait=30' })
  const polls = Array.from({ length: 14 }, poll)
  await held(it, 14)
  const response = await poll()
  expect([response.status, response.headers.get('preference-applied')]).toEqual([304, null])
  it.put(`# serial: 2\n${OTHER}\n`)
  await Promise.all(polls)
})

test('a file that is no bundle does not replace the last good one; the line is told', async () => {
  const it = await useServer()
  it.put(`# serial: 2\n${FIRST}\nnot a key\n`)
  await waitFor('the refusal', () => it.events.some(({ kind }) => kind === 'refused'))
  expect(it.events.at(-1)).toMatchObject({ kind: 'refused', code: 'unknown-type', line: 3 })
  expect(await (await it.get()).text()).toBe(`# serial: 1\n${FIRST}\n`)
  it.put(`# serial: 3\n${OTHER}\n`)
  await waitFor('the next', async () => (await (await it.get()).text()).includes(OTHER))
  const metrics = await (await it.get({}, '/metrics')).text()
  expect(metrics).toContain('pomerium_bundle_server_refused_bundles_total 1')
  expect(metrics).toContain('pomerium_bundle_server_bundle_serial 3')
})

test('a file that is gone changes nothing, and its return is seen', async () => {
  const it = await useServer()
  rmSync(it.file)
  await waitFor('the report', () => it.events.some(({ kind }) => kind === 'unreadable'))
  expect((await it.get()).status).toBe(200)
  writeFileSync(it.file, `# serial: 2\n${OTHER}\n`)
  await waitFor('the next', async () => (await (await it.get()).text()).includes(OTHER))
})

test('a serial that goes back is served, and warned of', async () => {
  const it = await useServer(`# serial: 5\n${FIRST}\n`)
  it.put(`# serial: 4\n${OTHER}\n`)
  await waitFor('the edition', () => it.events.length === 2)
  expect(it.events[1]).toMatchObject({ kind: 'serving', warning: expect.stringContaining('4') })
})

test('with a token: 401 without it, and nothing for shared caches; health stays open', async () => {
  const it = await useServer(undefined, { readToken: () => TOKEN })
  const refused = await it.get()
  expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([401, 'Bearer'])
  expect((await it.get({ authorization: `Bearer ${TOKEN}x` })).status).toBe(401)
  const taken = await it.get({ authorization: `Bearer ${TOKEN}` })
  expect([taken.status, taken.headers.get('cache-control')]).toEqual([200, 'private, no-cache'])
  expect((await it.get({}, '/healthz')).status).toBe(200)
})

test('reload takes a new token; one that can not be read leaves the old', async () => {
  let token: string | undefined = TOKEN
  const it = await useServer(undefined, {
    readToken() {
      if (token === undefined) throw new Error('gone')
      return token
    },
  })
  const status = async (shown: string) =>
    (await it.get({ authorization: `Bearer ${shown}` })).status
  token = TOKEN.toUpperCase()
  it.serving.reload()
  expect([await status(TOKEN), await status(token)]).toEqual([401, 200])
  token = undefined
  it.serving.reload()
  expect(await status(TOKEN.toUpperCase())).toBe(200)
  expect(it.events.at(-1)).toMatchObject({ kind: 'unreadable', what: 'token' })
})

test('TLS, and another certificate after a reload', async () => {
  const [first, second] = await Promise.all([
    makeTestTls({ hosts: ['127.0.0.1'] }),
    makeTestTls({ hosts: ['127.0.0.1'] }),
  ])
  let tls = first
  const it = await useServer(undefined, { readTls: () => tls })
  expect(await statusOver(it.url, first.ca)).toBe(200)
  tls = second
  it.serving.reload()
  expect(await statusOver(it.url, second.ca)).toBe(200)
  await expect(statusOver(it.url, first.ca)).rejects.toThrow()
})

test('closing answers those who wait', async () => {
  const it = await useServer()
  const etag = await tagOf(await it.get())
  const poll = it.get({ 'if-none-match': etag, prefer: 'wait=60' })
  await held(it, 1)
  const start = performance.now()
  await it.serving.close()
  expect((await poll).status).toBe(304)
  expect(performance.now() - start).toBeLessThan(2_000)
})

test('nothing of a request’s headers or query is in the log', async () => {
  const it = await useServer(undefined, { readToken: () => TOKEN })
  await it.get({ authorization: 'Bearer hidden', cookie: 'hidden' }, '/bundle?hidden')
  expect(it.answers).toHaveLength(1)
  expect(JSON.stringify(it.answers)).not.toContain('hidden')
  expect(it.errors).toEqual([])
})

function held(it: TestServer, count: number) {
  return waitFor('the polls to be held', async () => {
    const text = await (await it.get({}, '/metrics')).text()
    return text.includes(`pomerium_bundle_server_held_requests ${count}\n`)
  })
}

function statusOver(url: string, ca: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    request(url, { ca, agent: false }, response => {
      response.resume()
      resolve(response.statusCode)
    })
      .once('error', reject)
      .end()
  })
}
