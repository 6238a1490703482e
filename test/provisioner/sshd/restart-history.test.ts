import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { realFileSystem } from '../../../agent/provisioner/files/file-system.ts'
import { openRestartHistory } from '../../../agent/provisioner/sshd/restart-history.ts'

let folder: string
let path: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'restarts-'))
  path = join(folder, 'restarts.json')
})
afterEach(() => rmSync(folder, { recursive: true }))

const open = () => {
  const owner = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 }
  return openRestartHistory(realFileSystem, path, { mode: 0o600, ...owner })
}

test('is kept across processes, and bounded', () => {
  expect(open().read()).toEqual({ recent: [], total: 0 })
  const limit = { burst: 5, intervalSeconds: 10 }
  for (let at = 1; at <= 100; at++) open().add(at, limit)
  const { recent, ...rest } = open().read()
  expect(recent).toHaveLength(64)
  expect(recent.at(-1)).toBe(100)
  expect(rest).toEqual({ total: 100, limit })
  expect(statSync(path).mode & 0o777).toBe(0o600)
  expect(readdirSync(folder)).toEqual(['restarts.json'])
})

test.each(['', 'null', '{', '[]', '{"restarts":7}', '{"restarts":["x",null]}'])(
  'one that is damaged counts as empty: %j',
  text => {
    writeFileSync(path, text)
    expect(open().read()).toEqual({ recent: [], total: 0 })
    open().add(7, undefined)
    expect(open().read()).toEqual({ recent: [7], total: 1 })
  },
)
