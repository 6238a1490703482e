import dns from 'node:dns'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { MAX_BUNDLE_BYTES } from '../../agent/core/bundle/limits.ts'
import { fetchBundle } from '../../agent/source/fetch-bundle.ts'
import { BUNDLE, text, useControlPlane } from './with-control-plane.ts'

describe('a healthy source', () => {
  test('gives the bytes, the ETag and the date', async () => {
    const plane = await useControlPlane()
    const fetched = await fetchBundle({ url: plane.url })
    expect(fetched).toMatchObject({ kind: 'bundle', etag: expect.stringMatching(/^".+"$/) })
    if (fetched.kind !== 'bundle') return
    expect(text(fetched.bytes)).toBe(BUNDLE)
    expect(Math.abs(Date.now() - (fetched.date?.getTime() ?? 0))).toBeLessThan(5000)
  })

  test('is asked politely, once, and the connection is let go', async () => {
    const plane = await useControlPlane()
    await fetchBundle({ url: `${plane.url}?a=b#c` }, { version: '1.2.3' })
    expect(plane.requests).toHaveLength(1)
    expect(plane.requests[0]).toMatchObject({
      method: 'GET',
      url: '/bundle?a=b',
      headers: {
        accept: 'text/plain, application/json;q=0.9',
        'accept-encoding': 'identity',
        'user-agent': 'pomerium-host-agent/1.2.3',
      },
    })
    expect(plane.requests[0]?.headers).not.toHaveProperty('authorization')
    expect(plane.requests[0]?.headers).not.toHaveProperty('if-none-match')
    await expect.poll(() => plane.connections()).toBe(0)
  })

  test('says not-modified to the ETag it gave', async () => {
    const plane = await useControlPlane()
    const first = await fetchBundle({ url: plane.url })
    const etag = first.kind === 'bundle' ? first.etag : undefined
    expect(await fetchBundle({ url: plane.url }, { etag: etag ?? '' })).toMatchObject({
      kind: 'not-modified',
      etag,
      date: expect.any(Date),
    })
    plane.setBundle(`${BUNDLE}#\n`)
    expect(await fetchBundle({ url: plane.url }, { etag: etag ?? '' })).toMatchObject({
      kind: 'bundle',
    })
  })

  test('may call the bundle what it likes, but for HTML', async () => {
    const plane = await useControlPlane()
    plane.behave({ mode: 'content-type', contentType: 'application/octet-stream' })
    expect(await fetchBundle({ url: plane.url })).toMatchObject({ kind: 'bundle' })
  })

  test('gets the token, and refuses others', async () => {
    const plane = await useControlPlane()
    plane.behave({ mode: 'bearer', token: 'correct' })
    const ask = (token?: string) => fetchBundle({ url: plane.url, ...(token && { token }) })
    expect(await ask('correct')).toMatchObject({ kind: 'bundle' })
    expect(await ask('wrong')).toMatchObject({ kind: 'unavailable', code: 'unauthorized' })
    expect(await ask()).toMatchObject({ kind: 'unavailable', code: 'unauthorized' })
  })

  test.each(['', 'a b', 'a\r\nhost: elsewhere', 'ü'])('is not sent the token %j', async token => {
    const plane = await useControlPlane()
    expect(await fetchBundle({ url: plane.url, token })).toMatchObject({ code: 'unauthorized' })
    expect(plane.requests).toHaveLength(0)
  })

  test.each(['a b', 'é', `"${'x'.repeat(1024)}"`])('an unfit ETag is ignored', async etag => {
    const plane = await useControlPlane({
      respond: (_request, response) => {
        response.setHeader('etag', Buffer.from(etag).toString('latin1'))
        response.end(BUNDLE)
        return true
      },
    })
    const fetched = await fetchBundle({ url: plane.url }, { etag })
    expect(fetched).toMatchObject({ kind: 'bundle' })
    expect(fetched).not.toHaveProperty('etag')
    expect(plane.requests[0]?.headers).not.toHaveProperty('if-none-match')
  })
})

describe('statuses', () => {
  test.each([
    [401, 'unauthorized'],
    [403, 'unauthorized'],
    [404, 'not-found'],
    [410, 'not-found'],
    [429, 'server-error'],
    [500, 'server-error'],
    [502, 'server-error'],
    [503, 'server-error'],
    [201, 'unexpected-status'],
    [204, 'unexpected-status'],
    [206, 'unexpected-status'],
    [300, 'unexpected-status'],
    [304, 'unexpected-status'],
    [400, 'unexpected-status'],
    [418, 'unexpected-status'],
  ])('%i is %s', async (status, code) => {
    const plane = await useControlPlane()
    plane.behave({ mode: 'status', status })
    expect(await fetchBundle({ url: plane.url })).toMatchObject({ kind: 'unavailable', code })
  })

  test.each([
    ['17', 17],
    ['999999999999999999999', 3600],
    [new Date(Date.now() + 3600_000 * 24).toUTCString(), 3600],
    [new Date(Date.now() - 60_000).toUTCString(), 0],
    ['soon', undefined],
    ['-1', undefined],
  ])('Retry-After: %s', async (value, seconds) => {
    const plane = await useControlPlane()
    for (const status of [503, 429]) {
      plane.behave({ mode: 'retry-after', value, status })
      const fetched = await fetchBundle({ url: plane.url })
      expect(fetched).toMatchObject({ kind: 'unavailable', code: 'server-error' })
      expect('retryAfterSeconds' in fetched ? fetched.retryAfterSeconds : undefined).toBe(seconds)
    }
  })

  test.each([301, 302, 303, 307, 308])('a %i is not followed', async status => {
    const [plane, elsewhere] = [await useControlPlane(), await useControlPlane()]
    const location = `${elsewhere.url}?state=LOCATION-SECRET`
    plane.behave({ mode: 'redirect', location, status })
    const fetched = await fetchBundle({ url: plane.url, token: 'TOKEN' })
    expect(fetched).toMatchObject({ kind: 'unavailable', code: 'redirect' })
    expect('message' in fetched && fetched.message).toContain(elsewhere.url)
    expect(JSON.stringify(fetched)).not.toContain('LOCATION-SECRET')
    expect(elsewhere.requests).toHaveLength(0)
  })

  test('a redirect to nowhere is still one', async () => {
    const plane = await useControlPlane()
    for (const location of ['http://[', '']) {
      plane.behave({ mode: 'redirect', location })
      expect(await fetchBundle({ url: plane.url })).toMatchObject({ code: 'redirect' })
    }
    plane.behave({ mode: 'status', status: 302 })
    expect(await fetchBundle({ url: plane.url })).toMatchObject({ code: 'redirect' })
  })
})

describe('bodies', () => {
  test.each([undefined, 'application/xhtml+xml', 'text/plain', 'TEXT/HTML'])(
    'a web page as %s is refused',
    async contentType => {
      const plane = await useControlPlane()
      plane.behave({ mode: 'html', ...(contentType && { contentType }) })
      expect(await fetchBundle({ url: plane.url, jsonPointer: '/a' })).toMatchObject({
        kind: 'refused',
        code: 'html',
      })
    },
  )

  test.each(['<html lang="en">', '\uFEFF <!DOCTYPE html>', '\r\n<!doctype HTML SYSTEM "x">'])(
    'a page that begins %j is refused',
    async start => {
      const plane = await useControlPlane()
      plane.setBundle(`${start}<body>`)
      expect(await fetchBundle({ url: plane.url, jsonPointer: '/a' })).toMatchObject({
        kind: 'refused',
        code: 'html',
      })
    },
  )

  test('a bundle of just the limit is read, one byte more is not', async () => {
    const plane = await useControlPlane()
    plane.setBundle('#'.repeat(MAX_BUNDLE_BYTES))
    expect(await fetchBundle({ url: plane.url })).toMatchObject({ kind: 'bundle' })
    plane.setBundle('#'.repeat(MAX_BUNDLE_BYTES + 1))
    expect(await fetchBundle({ url: plane.url })).toMatchObject({ code: 'too-large' })
  })

  test('a body without end is cut at the limit and the connection dropped', async () => {
    const plane = await useControlPlane()
    plane.behave({ mode: 'endless' })
    expect(await fetchBundle({ url: plane.url })).toMatchObject({
      kind: 'refused',
      code: 'too-large',
    })
    await expect.poll(() => plane.connections()).toBe(0)
  })

  test('a length that lies high is refused or found out', async () => {
    const plane = await useControlPlane()
    plane.behave({ mode: 'lying-length', length: 10 ** 12 })
    expect(await fetchBundle({ url: plane.url })).toMatchObject({ code: 'too-large' })
    plane.behave({ mode: 'lying-length', length: BUNDLE.length + 1 })
    expect(await fetchBundle({ url: plane.url })).toMatchObject({ code: 'unreachable' })
  })

  test.each(['length', 'chunked'] as const)(
    'a body cut off (%s) is never a bundle',
    async framing => {
      const plane = await useControlPlane()
      for (const afterBytes of [1, BUNDLE.length - 1]) {
        plane.behave({ mode: 'hang-up', afterBytes, framing })
        expect(await fetchBundle({ url: plane.url })).toMatchObject({ code: 'unreachable' })
      }
    },
  )

  test('a body that ends with the connection cannot be told from a cut one', async () => {
    const plane = await useControlPlane()
    plane.behave({ mode: 'until-close' })
    expect(await fetchBundle({ url: plane.url })).toMatchObject({ code: 'unexpected-reply' })
  })

  test('a compressed body is refused', async () => {
    const plane = await useControlPlane()
    plane.behave({ mode: 'encoded', encoding: 'gzip' })
    expect(await fetchBundle({ url: plane.url })).toMatchObject({ code: 'unexpected-reply' })
    plane.behave({ mode: 'encoded', encoding: 'identity' })
    expect(await fetchBundle({ url: plane.url })).toMatchObject({ kind: 'bundle' })
  })

  test.each([
    ['100 Continue', 'HTTP/1.1 100 Continue\r\n\r\n'],
    ['103 Early Hints', 'HTTP/1.1 103 Early Hints\r\nlink: </x>; rel=preload\r\n\r\n'],
  ])('%s before the reply, once or twice, is passed over', async (_, interim) => {
    const plane = await useControlPlane()
    const reply = `HTTP/1.1 200 OK\r\ncontent-length: ${BUNDLE.length}\r\n\r\n${BUNDLE}`
    for (const before of [interim, interim + interim]) {
      plane.behave({ mode: 'raw', text: before + reply })
      const fetched = await fetchBundle({ url: plane.url })
      expect(fetched).toMatchObject({ kind: 'bundle' })
      expect(fetched.kind === 'bundle' && text(fetched.bytes)).toBe(BUNDLE)
    }
    plane.behave({ mode: 'raw', text: interim })
    expect(await fetchBundle({ url: plane.url })).toMatchObject({ code: 'unreachable' })
  })

  test.each([
    '',
    'Upgrade: x\r\n',
    'Connection: Upgrade\r\nUpgrade: x\r\n',
    'Connection: Upgrade\r\n',
    'content-length: 5\r\n',
  ])('101, with %j, is a status like others', async headers => {
    const plane = await useControlPlane()
    for (const after of ['', 'hello', `HTTP/1.1 200 OK\r\n\r\n${BUNDLE}`]) {
      const head = `HTTP/1.1 101 Switching Protocols\r\n${headers}\r\n`
      plane.behave({ mode: 'raw', text: head + after })
      expect(await fetchBundle({ url: plane.url })).toMatchObject({ code: 'unexpected-status' })
    }
  })

  test.each(['SSH-2.0-OpenSSH_9.2\r\n', `HTTP/1.1 200 OK\r\nx: ${'y'.repeat(99999)}\r\n\r\n`])(
    'what is not HTTP is not read',
    async reply => {
      const plane = await useControlPlane()
      plane.behave({ mode: 'raw', text: reply })
      expect(await fetchBundle({ url: plane.url })).toMatchObject({ code: 'unexpected-reply' })
    },
  )
})

describe('localhost', () => {
  test.each(['127.0.0.1', '::1'])('is loopback, whichever family listens: %s', async host => {
    const plane = await useControlPlane({ host })
    for (const name of ['localhost', 'LOCALHOST', host.includes(':') ? `[${host}]` : '127.1']) {
      const fetched = await fetchBundle({ url: `http://${name}:${plane.port}/` })
      expect(fetched).toMatchObject({ kind: 'bundle' })
    }
  })

  test('is never asked of a resolver', async () => {
    const plane = await useControlPlane()
    const lookup = vi.spyOn(dns, 'lookup')
    onTestFinished(() => lookup.mockRestore())
    await fetchBundle({ url: `http://localhost:${plane.port}/` })
    expect(lookup).not.toHaveBeenCalled()
  })
})

describe('JSON', () => {
  const json = { data: { 'ca.pub': BUNDLE, n: 1 } }

  test('the bundle is taken from it', async () => {
    const plane = await useControlPlane()
    plane.setBundle(JSON.stringify(json))
    const fetched = await fetchBundle({ url: plane.url, jsonPointer: '/data/ca.pub' })
    expect(fetched).toMatchObject({ kind: 'bundle', etag: expect.any(String) })
    expect(fetched.kind === 'bundle' && text(fetched.bytes)).toBe(BUNDLE)
  })

  test.each(['/data/none', '/data/n', '/data', 'data/ca.pub', '/data/~2', '/constructor/name'])(
    'nothing to take at %s',
    async jsonPointer => {
      const plane = await useControlPlane()
      plane.setBundle(JSON.stringify(json))
      const fetched = await fetchBundle({ url: plane.url, jsonPointer })
      expect(fetched).toMatchObject({ kind: 'unavailable', code: 'json' })
      expect('message' in fetched && fetched.message).toContain(jsonPointer)
    },
  )

  test('not JSON at all', async () => {
    const plane = await useControlPlane()
    expect(await fetchBundle({ url: plane.url, jsonPointer: '/a' })).toMatchObject({ code: 'json' })
    plane.behave({ mode: 'html', contentType: 'text/plain' })
    expect(await fetchBundle({ url: plane.url, jsonPointer: '/a' })).toMatchObject({ code: 'html' })
  })
})
