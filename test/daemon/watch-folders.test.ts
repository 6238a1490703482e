import { chmodSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'vitest'
import { type Watch, watchFolders } from '../../agent/daemon/watch-folders.ts'

let folder: string
let file: string
let watch: Watch
let seen: () => Promise<void>
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'watched-'))
  file = join(folder, 'pomerium-ca.conf')
  writeFileSync(file, 'one')
  let wake = () => {}
  let drifts = 0
  watch = watchFolders(
    [folder],
    () => {
      drifts += 1
      wake()
    },
    () => {},
  )
  seen = async () => {
    if (drifts === 0) await new Promise<void>(resolve => (wake = resolve))
    drifts = 0
  }
  await new Promise(resolve => setTimeout(resolve, 200))
})
afterEach(async () => {
  await watch.close()
  rmSync(folder, { recursive: true })
})

test.each<[string, () => void]>([
  ['edited', () => writeFileSync(file, 'two')],
  ['removed', () => rmSync(file)],
  ['renamed away', () => renameSync(file, join(folder, 'away'))],
  ['chmodded', () => chmodSync(file, 0o644)],
  ['shadowed', () => writeFileSync(join(folder, '00-shadow.conf'), 'x')],
])('what is %s is seen', async (_, change) => {
  change()
  await seen()
})
