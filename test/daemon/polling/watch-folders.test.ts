import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import {
  type Watch,
  type WatchedFolder,
  watchFolders,
} from '../../../agent/daemon/polling/watch-folders.ts'

let outside: string
let folder: string
let file: string
let watch: Watch
let drifts: number
beforeEach(() => {
  outside = mkdtempSync(join(tmpdir(), 'watched-'))
  folder = join(outside, 'sshd_config.d')
  file = join(folder, 'pomerium-ca.conf')
  mkdirSync(folder)
  writeFileSync(file, 'one')
  drifts = 0
})
afterEach(() => {
  watch.close()
  rmSync(outside, { recursive: true })
})
const start = (watched: WatchedFolder) => {
  watch = watchFolders(
    [watched],
    () => {
      drifts += 1
    },
    code => {
      throw new Error(`fell back: ${code}`)
    },
    300,
  )
}
const seen = async () => {
  await expect.poll(() => drifts, { timeout: 2_000 }).toBeGreaterThan(0)
  drifts = 0
}
const settled = () => new Promise(resolve => setTimeout(resolve, 500))

describe('watchFolders', () => {
  test.each<[string, () => void]>([
    ['edited', () => writeFileSync(file, 'two')],
    ['removed', () => rmSync(file)],
    ['renamed away', () => renameSync(file, join(outside, 'away'))],
    ['chmodded', () => chmodSync(file, 0o644)],
    ['shadowed', () => writeFileSync(join(folder, '00-shadow.conf'), 'x')],
    ['removed with its folder', () => rmSync(folder, { recursive: true })],
    ['moved with its folder', () => renameSync(folder, join(outside, 'away'))],
  ])('sees what is %s', async (_, change) => {
    utimesSync(file, new Date(Date.now() + 3_600_000), new Date())
    start({ path: folder })
    await settled()
    drifts = 0
    change()
    await seen()
  })

  test('sees what somebody writes without a pause', async () => {
    start({ path: folder })
    const loop = setInterval(() => writeFileSync(file, 'mine'), 50)
    onTestFinished(() => clearInterval(loop))
    await seen()
  })

  test('many changes in one go are one hint, and ours on the way to their names none', async () => {
    start({ path: folder })
    writeFileSync(join(folder, '.x.pomerium-host-agent'), '')
    await settled()
    expect(drifts).toBe(0)
    for (let n = 0; n < 20; n++) writeFileSync(file, `${n}`)
    await settled()
    expect(drifts).toBe(1)
  })

  test('only the name that counts', async () => {
    start({ path: outside, only: 'sshd_config' })
    writeFileSync(join(outside, 'moduli'), '')
    await settled()
    expect(drifts).toBe(0)
    writeFileSync(join(outside, 'sshd_config'), '')
    await seen()
  })

  test('a folder that lies in another one now', async () => {
    const above = join(outside, 'ssh')
    const inside = join(above, 'sshd_config.d')
    mkdirSync(inside, { recursive: true })
    start({ path: inside })
    await settled()
    renameSync(above, join(outside, 'ssh.before'))
    cpSync(join(outside, 'ssh.before'), above, { recursive: true })
    await seen()
    await settled()
    drifts = 0
    writeFileSync(join(inside, 'pomerium-ca.conf'), 'two')
    await seen()
  })

  test('a folder that is made later, or anew', async () => {
    rmSync(folder, { recursive: true })
    start({ path: folder })
    for (let times = 0; times < 2; times++) {
      mkdirSync(folder)
      await seen()
      writeFileSync(file, 'one')
      await seen()
      rmSync(folder, { recursive: true })
      await seen()
    }
  })
})
