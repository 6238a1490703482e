import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { type Edition, publish, readEdition } from '../../../agent/publisher/serve/published.ts'
import { FIRST, OTHER } from './with-server.ts'

const edition = (line: string) => readEdition(Buffer.from(`${line}\n`)) as Edition

test('polls that have ended leave nothing behind, however long the bundle stays', async () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const published = publish(edition(FIRST))
  const poll = async (count: number) => {
    for (let n = 0; n < count; n += 1) {
      const over = new AbortController()
      const changed = published.changed(over.signal)
      over.abort()
      await changed
    }
    collect()
    return process.memoryUsage().heapUsed
  }
  const before = await poll(5_000)
  const after = await poll(50_000)
  // 300 bytes a poll would be 15 MB.
  expect(after - before).toBeLessThan(5_000_000)
})

test('all who wait hear of a change', async () => {
  const published = publish(edition(FIRST))
  const never = new AbortController().signal
  const all = Promise.all([1, 2, 3].map(() => published.changed(never)))
  published.replace(Buffer.from(`${OTHER}\n`))
  expect(await all).toHaveLength(3)
})
