import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { realFileSystem } from '../../../agent/provisioner/file-system.ts'
import { openRestartHistory } from '../../../agent/provisioner/service/restart-history.ts'

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
  expect(open().read()).toEqual([])
  for (let at = 1; at <= 100; at++) open().add(at)
  expect(open().read()).toHaveLength(64)
  expect(open().read().at(-1)).toBe(100)
  expect(statSync(path).mode & 0o777).toBe(0o600)
  expect(readdirSync(folder)).toEqual(['restarts.json'])
})

test.each(['', 'null', '{', '[]', '{"restarts":7}', '{"restarts":["x",null]}'])(
  'one that is damaged counts as empty: %j',
  text => {
    writeFileSync(path, text)
    expect(open().read()).toEqual([])
    open().add(7)
    expect(open().read()).toEqual([7])
  },
)
