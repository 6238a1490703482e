import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { fileAway, readLastDone } from '../../../agent/publisher/rotate/finished.ts'
import { tempDir } from '../../sshd/temp-dir.ts'
import { beginIn, makeWorld, run } from './world.ts'

const DAY = new Date('2026-11-20T23:59:00Z')

test('a finished state leaves its name to the next, and the last one is found again', async () => {
  await using folder = await tempDir()
  const world = makeWorld(folder.path, ['a'])
  await beginIn(world, 'compromised')
  expect((await run(world)).kind).toBe('switch')
  const begun = join(folder.path, 'begun')
  copyFileSync(world.stateFile, begun)
  writeFileSync(
    world.stateFile,
    readFileSync(begun, 'utf8').replace('step: switch-pomerium', 'step: done'),
  )
  copyFileSync(world.stateFile, begun)

  expect(readLastDone(world.stateFile)).toBeUndefined()
  const first = fileAway(world.stateFile, DAY)
  expect(first).toBe(join(folder.path, 'rotation-2026-11-20-done.yaml'))
  expect(existsSync(world.stateFile)).toBe(false)
  expect(readLastDone(world.stateFile)).toMatchObject({ file: first })

  // Two on one day: neither is written over, and the newer one counts.
  copyFileSync(begun, world.stateFile)
  const second = fileAway(world.stateFile, DAY)
  expect(second).toBe(join(folder.path, 'rotation-2026-11-20-2-done.yaml'))
  utimesSync(first, 1_000, 1_000)
  expect(readLastDone(world.stateFile)).toMatchObject({ file: second })
  utimesSync(second, 500, 500)
  expect(readLastDone(world.stateFile)).toMatchObject({ file: first })

  // What only looks like one is none.
  symlinkSync('nowhere', join(folder.path, 'rotation-2026-11-21-done.yaml'))
  mkdirSync(join(folder.path, 'rotation-2026-11-22-done.yaml'))
  for (const name of ['rotation-done.yaml', 'rotation-2026-11-20-done', 'rotation-x-done.yaml']) {
    writeFileSync(join(folder.path, name), 'x')
  }
  expect(readLastDone(world.stateFile)).toMatchObject({ file: first })
  expect(readLastDone(join(folder.path, 'other.yaml'))).toBeUndefined()
})
