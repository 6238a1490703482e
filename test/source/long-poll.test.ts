import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { fetchBundle } from '../../agent/source/fetch-bundle.ts'
import { BUNDLE, useControlPlane } from './with-control-plane.ts'

// Far below what is waited for.
const timeouts = { connect: 200, headers: 200, body: 200, total: 300 }

async function useHeld() {
  const plane = await useControlPlane()
  const first = await fetchBundle({ url: plane.url })
  if (first.kind !== 'bundle' || first.etag === undefined) throw new Error('no ETag')
  const { etag } = first
  const hold = (waitSeconds: number, signal?: AbortSignal) =>
    fetchBundle({ url: plane.url }, { etag, waitSeconds, timeouts, ...(signal && { signal }) })
  return { plane, etag, hold }
}

describe('a held request', () => {
  test('is asked for as RFC 7240 has it, and only beside an ETag', async () => {
    const { plane, etag } = await useHeld()
    await fetchBundle({ url: plane.url }, { etag, waitSeconds: 1 })
    expect(plane.requests.at(-1)?.headers).toMatchObject({
      prefer: 'wait=1',
      'if-none-match': etag,
    })
    await fetchBundle({ url: plane.url }, { waitSeconds: 60 })
    expect(plane.requests.at(-1)?.headers).not.toHaveProperty('prefer')
  })

  test('is no slow one: the source has its time on top of what it was asked to wait', async () => {
    const { hold, etag } = await useHeld()
    const start = performance.now()
    expect(await hold(1)).toMatchObject({ kind: 'not-modified', etag })
    expect(performance.now() - start).toBeGreaterThan(950)
  })

  test('a source that does not answer then is too slow', async () => {
    const { plane, hold } = await useHeld()
    plane.behave({ mode: 'silent' })
    expect(await hold(1)).toMatchObject({ kind: 'unavailable', code: 'timeout' })
  })

  test('ends when something is published', async () => {
    const { plane, hold } = await useHeld()
    const held = hold(60)
    await sleep(100)
    plane.setBundle(`${BUNDLE}#\n`)
    const start = performance.now()
    expect(await held).toMatchObject({ kind: 'bundle' })
    expect(performance.now() - start).toBeLessThan(1000)
  })

  test('is let go of at once when we are to stop', async () => {
    const { plane, hold } = await useHeld()
    const stop = new AbortController()
    const held = hold(60, stop.signal)
    await expect.poll(() => plane.requests.length).toBe(2)
    stop.abort(new Error('stop'))
    const start = performance.now()
    await expect(held).rejects.toThrow('stop')
    expect(performance.now() - start).toBeLessThan(500)
    await expect.poll(() => plane.connections()).toBe(0)
  })
})
