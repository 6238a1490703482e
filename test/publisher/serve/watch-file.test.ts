import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import { watchFile } from '../../../agent/publisher/serve/watch-file.ts'
import { waitFor } from '../../machine/harness/wait-for.ts'
import { tempDir } from '../../sshd/temp-dir.ts'

afterEach(() => void vi.useRealTimers())

// As a deployment does that lays the whole folder anew: the watch was on the one that went.
test('what is in a folder that was replaced is seen, if later', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  await using parent = await tempDir()
  const folder = join(parent.path, 'folder')
  const file = join(folder, 'bundle')
  const put = (text: string) => {
    mkdirSync(folder, { recursive: true })
    writeFileSync(file, text)
  }
  put('first')
  let looks = 0
  let seen = ''
  const watch = watchFile(
    file,
    () => {
      looks += 1
      seen = existsSync(file) ? readFileSync(file, 'utf8') : ''
    },
    () => {},
  )
  await waitFor('the watch to stand', async () => looks > 0)
  rmSync(folder, { recursive: true })
  put('second')
  put('third')
  vi.advanceTimersByTime(30_000)
  expect(seen).toBe('third')
  await watch.close()
})
