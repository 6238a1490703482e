import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { fetchBundle } from '../../agent/source/fetch-bundle.ts'
import { useControlPlane } from './with-control-plane.ts'

describe('a source that is slow or away', () => {
  test('slow to answer', async () => {
    const plane = await useControlPlane()
    plane.behave({ mode: 'slow-headers', afterMs: 20_000 })
    const timeouts = { headers: 50 }
    expect(await fetchBundle({ url: plane.url }, { timeouts })).toMatchObject({ code: 'timeout' })
    await expect.poll(() => plane.connections()).toBe(0)
  })

  test('a pause in the body', async () => {
    const plane = await useControlPlane()
    plane.behave({ mode: 'drip', everyMs: 5000 })
    const timeouts = { body: 50 }
    expect(await fetchBundle({ url: plane.url }, { timeouts })).toMatchObject({ code: 'timeout' })
  })

  test('a drip that no other limit catches', async () => {
    const plane = await useControlPlane()
    plane.behave({ mode: 'drip', everyMs: 20 })
    const started = performance.now()
    const timeouts = { total: 200 }
    expect(await fetchBundle({ url: plane.url }, { timeouts })).toMatchObject({ code: 'timeout' })
    expect(performance.now() - started).toBeLessThan(1000)
    await expect.poll(() => plane.connections()).toBe(0)
  })

  test('hangs up before it answers', async () => {
    const plane = await useControlPlane()
    plane.behave({ mode: 'hang-up' })
    expect(await fetchBundle({ url: plane.url })).toMatchObject({ code: 'unreachable' })
  })

  test('nobody listens', async () => {
    const plane = await useControlPlane()
    await plane.close()
    for (const host of ['127.0.0.1', 'localhost']) {
      const fetched = await fetchBundle({ url: `http://${host}:${plane.port}/` })
      expect(fetched).toMatchObject({ kind: 'unavailable', code: 'unreachable' })
      expect('message' in fetched && fetched.message).toContain('connection refused')
    }
  })

  test('no such name', async () => {
    const timeouts = { total: 2000 }
    const fetched = await fetchBundle({ url: 'https://source.invalid/' }, { timeouts })
    // A network without any name server may take its time to say so.
    expect(fetched).toMatchObject({ code: expect.stringMatching(/^(unreachable|timeout)$/) })
  })
})

describe('abort', () => {
  const reason = new Error('enough')

  test('before the start', async () => {
    const plane = await useControlPlane()
    const signal = AbortSignal.abort(reason)
    await expect(fetchBundle({ url: plane.url }, { signal })).rejects.toBe(reason)
    await expect(fetchBundle({ url: 'file:///etc/passwd' }, { signal })).rejects.toBe(reason)
    expect(plane.requests).toHaveLength(0)
  })

  test.each([{ mode: 'silent' }, { mode: 'drip', everyMs: 20 }] as const)(
    'while waiting ($mode)',
    async behaviour => {
      const plane = await useControlPlane()
      plane.behave(behaviour)
      const controller = new AbortController()
      const fetching = fetchBundle({ url: plane.url }, { signal: controller.signal })
      const settled = expect(fetching).rejects.toBe(reason)
      await expect.poll(() => plane.requests.length).toBe(1)
      await sleep(50)
      controller.abort(reason)
      await settled
      await expect.poll(() => plane.connections()).toBe(0)
    },
  )
})
