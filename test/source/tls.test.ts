import { writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { fetchBundle } from '../../agent/source/fetch-bundle.ts'
import { makeTestTls, type TestTls } from '../control-plane/test-tls.ts'
import { BUNDLE, text, useControlPlane } from './with-control-plane.ts'
import { useProxy } from './with-proxy.ts'

const NAME = 'ssh-ca.example.test'
let tls: TestTls
beforeAll(async () => {
  tls = await makeTestTls({ hosts: ['localhost', '127.0.0.1', NAME] })
})

describe('certificates', () => {
  test('an extra root is trusted, by name and by address', async () => {
    const plane = await useControlPlane({ tls })
    for (const host of ['localhost', '127.0.0.1']) {
      const url = `https://${host}:${plane.port}/`
      const fetched = await fetchBundle({ url, extraRoots: tls.ca })
      expect(fetched.kind === 'bundle' && text(fetched.bytes)).toBe(BUNDLE)
    }
  })

  test('extra roots are beside the system ones', async () => {
    const plane = await useControlPlane({ tls })
    const other = await makeTestTls({ hosts: ['localhost'] })
    const path = join(tmpdir(), `roots-${process.pid}.pem`)
    await writeFile(path, tls.ca)
    onTestFinished(() => import('node:fs/promises').then(fs => fs.unlink(path)))
    const environment = { SSL_CERT_FILE: path }
    for (const extraRoots of [other.ca, other.ca + tls.ca, undefined]) {
      const source = { url: plane.url, ...(extraRoots && { extraRoots }) }
      expect(await fetchBundle(source, { environment })).toMatchObject({ kind: 'bundle' })
    }
  })

  test('an unknown root', async () => {
    const plane = await useControlPlane({ tls })
    expect(await fetchBundle({ url: plane.url })).toMatchObject({ code: 'tls' })
    expect(plane.requests).toHaveLength(0)
  })

  test('another name', async () => {
    const other = await makeTestTls({ hosts: ['elsewhere.example.test'] })
    const plane = await useControlPlane({ tls: other })
    expect(await fetchBundle({ url: plane.url, extraRoots: other.ca })).toMatchObject({
      code: 'tls',
      message: expect.stringContaining('host name'),
    })
  })

  test.each([
    [-10, 'expired'],
    [10, 'not valid yet'],
  ])('valid from %i days from now, for 5', async (offset, words) => {
    const notBefore = new Date(Date.now() + offset * 24 * 3600_000)
    const odd = await makeTestTls({ hosts: ['127.0.0.1'], notBefore, days: 5 })
    const plane = await useControlPlane({ tls: odd })
    // The CA is valid now in the first case only; either way it is a question of time.
    const fetched = await fetchBundle({ url: plane.url, extraRoots: odd.ca })
    expect(fetched).toMatchObject({ code: 'tls', message: expect.stringContaining(words) })
  })

  test('a port that does not speak TLS', async () => {
    const plane = await useControlPlane()
    const url = plane.url.replace('http:', 'https:')
    expect(await fetchBundle({ url })).toMatchObject({ code: 'tls' })
  })

  test.each(['', 'rubbish', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----'])(
    'a ca_file of %j',
    async extraRoots => {
      const plane = await useControlPlane({ tls })
      expect(await fetchBundle({ url: plane.url, extraRoots })).toMatchObject({ code: 'tls' })
    },
  )

  test('a body cut off under TLS', async () => {
    const plane = await useControlPlane({ tls })
    plane.behave({ mode: 'hang-up', afterBytes: 20 })
    expect(await fetchBundle({ url: plane.url, extraRoots: tls.ca })).toMatchObject({
      code: 'unreachable',
    })
  })
})

describe('proxies', () => {
  test('100 Continue within TLS, and through a tunnel, is passed over', async () => {
    const plane = await useControlPlane({ tls })
    const head = `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: ${BUNDLE.length}`
    plane.behave({ mode: 'raw', text: `${head}\r\n\r\n${BUNDLE}` })
    const direct = await fetchBundle({ url: plane.url, extraRoots: tls.ca })
    expect(direct).toMatchObject({ kind: 'bundle' })
    const proxy = await useProxy(plane.port)
    const tunnelled = await fetchBundle(
      { url: `https://${NAME}/bundle`, extraRoots: tls.ca },
      { environment: { HTTPS_PROXY: proxy.url } },
    )
    expect(tunnelled).toMatchObject({ kind: 'bundle' })
    expect(proxy.tunnels).toEqual([`${NAME}:443`])
  })

  test.each(['HTTPS_PROXY', 'https_proxy'])('%s is used, and sees only the tunnel', async name => {
    const plane = await useControlPlane({ tls })
    const proxy = await useProxy(plane.port)
    const fetched = await fetchBundle(
      { url: `https://${NAME}/bundle`, extraRoots: tls.ca, token: 'TOKEN' },
      { environment: { [name]: proxy.url } },
    )
    expect(fetched).toMatchObject({ kind: 'bundle' })
    expect(proxy.tunnels).toEqual([`${NAME}:443`])
    expect(JSON.stringify(proxy.headers)).not.toContain('TOKEN')
    expect(plane.requests[0]?.headers.authorization).toBe('Bearer TOKEN')
    await expect.poll(() => plane.connections()).toBe(0)
  })

  test('may be written without a scheme', async () => {
    const plane = await useControlPlane({ tls })
    const proxy = await useProxy(plane.port)
    const environment = { HTTPS_PROXY: proxy.url.replace('http://', '') }
    const source = { url: `https://${NAME}/`, extraRoots: tls.ca }
    expect(await fetchBundle(source, { environment })).toMatchObject({ kind: 'bundle' })
  })

  test('NO_PROXY is heeded', async () => {
    const proxy = await useProxy(1)
    const environment = { HTTPS_PROXY: proxy.url, NO_PROXY: 'example.org,.invalid' }
    const source = { url: 'https://source.invalid/' }
    await fetchBundle(source, { environment, timeouts: { total: 500 } })
    expect(proxy.tunnels).toEqual([])
  })

  test('is never asked for loopback, nor for http', async () => {
    const [plane, secure] = [await useControlPlane(), await useControlPlane({ tls })]
    const proxy = await useProxy(plane.port)
    const environment = { HTTPS_PROXY: proxy.url, HTTP_PROXY: proxy.url }
    for (const url of [plane.url, secure.url, secure.url.replace('127.0.0.1', 'localhost')]) {
      const fetched = await fetchBundle({ url, extraRoots: tls.ca }, { environment })
      expect(fetched).toMatchObject({ kind: 'bundle' })
    }
    expect(proxy.tunnels).toEqual([])
  })

  test.each([403, 407, 502])('a refusal with %i', async status => {
    const proxy = await useProxy(1, status)
    const fetched = await fetchBundle(
      { url: `https://${NAME}/` },
      { environment: { HTTPS_PROXY: proxy.url } },
    )
    expect(fetched).toMatchObject({ kind: 'unavailable', code: 'unreachable' })
  })

  test('one that hangs up or hangs', async () => {
    for (const status of [0, -1]) {
      const proxy = await useProxy(1, status)
      const fetched = await fetchBundle(
        { url: `https://${NAME}/` },
        { environment: { HTTPS_PROXY: proxy.url }, timeouts: { total: 300 } },
      )
      expect(fetched).toMatchObject({ code: status === 0 ? 'unreachable' : 'timeout' })
    }
  })
})
