import { closeSync, openSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readBounded, readStreamBounded } from '../../agent/publisher/read-bounded.ts'
import { tempDir } from '../sshd/temp-dir.ts'

test('a file comes whole, by its name or its descriptor', async () => {
  await using folder = await tempDir()
  const path = join(folder.path, 'file')
  const content = Buffer.from(Array.from({ length: 200_001 }, (_, at) => at % 251))
  writeFileSync(path, content)
  expect(readBounded(path).equals(content)).toBe(true)
  const fd = openSync(path, 'r')
  expect(readBounded(fd).equals(content)).toBe(true)
  closeSync(fd)
})

test('an empty file is empty, and one that is not there an error', () => {
  expect(readBounded('/dev/null')).toHaveLength(0)
  expect(() => readBounded('/nonexistent')).toThrow('ENOENT')
  expect(() => readBounded('/')).toThrow('EISDIR')
})

test('what has no end is given up', async () => {
  expect(() => readBounded('/dev/zero')).toThrow('it holds more than 16 MiB')
  async function* endless() {
    for (;;) yield new Uint8Array(1024 * 1024)
  }
  await expect(readStreamBounded(endless())).rejects.toThrow('it holds more than 16 MiB')
})
