import { expect, test } from 'vitest'
import { fetchBundle } from '../../agent/source/fetch-bundle.ts'
import type { Behaviour } from '../control-plane/behaviour.ts'
import { useControlPlane } from './with-control-plane.ts'

const SECRETS = /TOKEN-SECRET|QUERY-SECRET|FRAGMENT-SECRET|BODY-SECRET|USER-SECRET|PAGE-BODY/

const behaviours: Behaviour[] = [
  ...[204, 401, 403, 404, 418, 429, 500].map(status => ({ mode: 'status' as const, status })),
  {
    mode: 'redirect',
    location: 'https://u:USER-SECRET@x.example/p?s=QUERY-SECRET#FRAGMENT-SECRET',
  },
  { mode: 'redirect', location: 'http://[BODY-SECRET' },
  { mode: 'html' },
  { mode: 'html', contentType: 'text/plain' },
  { mode: 'endless' },
  { mode: 'drip', everyMs: 50 },
  { mode: 'silent' },
  { mode: 'hang-up' },
  { mode: 'hang-up', afterBytes: 12 },
  { mode: 'lying-length', length: 10 ** 9 },
  { mode: 'until-close' },
  { mode: 'encoded', encoding: 'BODY-SECRET' },
  { mode: 'raw', text: 'BODY-SECRET\r\n\r\n' },
  { mode: 'raw', text: 'HTTP/1.1 200 OK\r\nBODY-SECRET\r\n\r\n' },
  // JSON, but for its end: a parser's message would quote it.
  { mode: 'normal' },
]

test.each(behaviours)('no message holds a secret: %j', async behaviour => {
  const plane = await useControlPlane()
  plane.setBundle('{"a": "BODY-SECRET" BODY-SECRET')
  plane.behave(behaviour)
  const fetched = await fetchBundle(
    {
      url: `${plane.url}?X-Amz-Signature=QUERY-SECRET#FRAGMENT-SECRET`,
      token: 'TOKEN-SECRET',
      jsonPointer: '/a',
    },
    { timeouts: { total: 150 } },
  )
  expect(['unavailable', 'refused']).toContain(fetched.kind)
  expect(JSON.stringify(fetched)).not.toMatch(SECRETS)
})

test.each([
  'ftp://u:USER-SECRET@example.com/?QUERY-SECRET',
  'https://u:USER-SECRET@example.com/?QUERY-SECRET',
  'http://example.com/?QUERY-SECRET#FRAGMENT-SECRET',
  'file://example.com/x?QUERY-SECRET',
  'file:///nowhere/x?QUERY-SECRET',
  '//QUERY-SECRET',
  'https://[QUERY-SECRET',
  'https://127.0.0.1:1/?QUERY-SECRET#FRAGMENT-SECRET',
])('nor does one about the URL %s', async url => {
  for (const token of ['TOKEN-SECRET', 'TOKEN-SECRET\n']) {
    const fetched = await fetchBundle({ url, token })
    expect(fetched.kind).toBe('unavailable')
    expect(JSON.stringify(fetched)).not.toMatch(SECRETS)
  }
})

test('nor one about a proxy', async () => {
  for (const proxy of [
    'http://u:USER-SECRET@127.0.0.1:1',
    'ftp://u:USER-SECRET@x',
    'http://[USER-SECRET',
  ]) {
    const fetched = await fetchBundle(
      { url: 'https://source.invalid/?QUERY-SECRET', token: 'TOKEN-SECRET' },
      { environment: { HTTPS_PROXY: proxy } },
    )
    expect(fetched).toMatchObject({ kind: 'unavailable', code: 'unreachable' })
    expect(JSON.stringify(fetched)).not.toMatch(SECRETS)
  }
})
