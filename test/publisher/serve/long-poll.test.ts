import { expect, test } from 'vitest'
import { fetchBundle } from '../../../agent/source/fetch-bundle.ts'
import { waitFor } from '../../machine/harness/wait-for.ts'
import { OTHER, useServer } from './with-server.ts'

// What a resident host asks, and what we answer.
test('a resident host holds its request, and has the next bundle at once', async () => {
  const it = await useServer()
  const source = { url: `${it.url}/bundle` }
  const first = await fetchBundle(source, {})
  if (first.kind !== 'bundle' || first.etag === undefined) throw new Error(first.kind)
  const waiting = fetchBundle(source, { etag: first.etag, waitSeconds: 60 })
  await waitFor('the request to be held', async () =>
    (await (await it.get({}, '/metrics')).text()).includes('held_requests 1\n'),
  )
  it.put(`# serial: 2\n${OTHER}\n`)
  const next = await waiting
  if (next.kind !== 'bundle') throw new Error(next.kind)
  expect(Buffer.from(next.bytes).toString()).toContain(OTHER)
  const quiet = await fetchBundle(source, { ...(next.etag && { etag: next.etag }), waitSeconds: 1 })
  expect(quiet.kind).toBe('not-modified')
})
