import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { runExclusively } from '../../agent/provisioner/exclusive-run.ts'
import { realFileSystem } from '../../agent/provisioner/files/file-system.ts'
import { temporaryHost } from './temporary-host.ts'

test('the lock is held until the status is written, and no longer', async () => {
  const isFree = () => {
    const { path } = it.host.layout.lock
    return spawnSync('flock', ['--nonblock', it.host.at(path), 'true']).status === 0
  }
  const whileWriting: boolean[] = []
  using it = await temporaryHost({
    ...realFileSystem,
    renameSync(from, to) {
      if (String(to).endsWith('/status.json')) whileWriting.push(isFree())
      realFileSystem.renameSync(from, to)
    },
  })
  await runExclusively(it.host, new Date(), async () => ({
    outcome: { outcome: 'unchanged', message: '', steps: [], trusted: [] },
  }))
  expect(whileWriting).toEqual([false])
  expect(isFree()).toBe(true)
})
