import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { newKeyLine } from '../../ssh-keys.ts'
import { type TempDir, tempDir } from '../../sshd/temp-dir.ts'
import { newSigner } from '../../sshsig.ts'
import { runBundle } from './run-bundle.ts'

let folder: TempDir
const OLD = `${newKeyLine('ed25519')} old`
const NEW = `${newKeyLine('ed25519')} new`
const SIGNER = newSigner('ed25519')

beforeAll(async () => {
  folder = await tempDir()
})
afterAll(() => folder[Symbol.asyncDispose]())

async function diff(old: string, next: string, ...flags: string[]) {
  const paths = [old, next].map((text, index) => {
    const path = join(folder.path, String(index))
    writeFileSync(path, text)
    return path
  })
  return runBundle(['diff', ...flags, ...paths])
}

test('keys added, removed and kept, the serial and the signer; exit 10', async () => {
  const before = `# serial: 1\n${OLD}\n`
  const both = `# serial: 2\n${OLD}\n${NEW}\n`
  const added = await diff(before, SIGNER.sign(both), '--json')
  expect(added.code).toBe(10)
  expect(JSON.parse(added.stdout)).toMatchObject({
    added: [{ comment: 'new' }],
    removed: [],
    kept: [{ comment: 'old' }],
    headers: [
      { name: 'serial', old: '1', new: '2' },
      { name: 'signer', old: 'none', new: expect.stringMatching(/^SHA256:/) },
    ],
    taken: true,
  })
  const removed = await diff(both, `# serial: 3\n${NEW}\n`)
  expect(removed.code).toBe(10)
  expect(removed.stdout).toMatch(
    /^serial {2}2 → 3\n\n- SHA256:\S+ {2}ssh-ed25519 {2}old\n {2}SHA256/,
  )
})

test('nothing differs: exit 0', async () => {
  const same = await diff(`# serial: 1\n${OLD}\n`, `# serial: 1\n${OLD}\n`)
  expect(same).toMatchObject({ code: 0, stdout: expect.stringContaining('the same') })
})

test.each([
  ['rollback', `# serial: 2\n${OLD}\n`, `# serial: 1\n${OLD}\n`],
  ['serial-missing', `# serial: 2\n${OLD}\n`, `${OLD}\n`],
  ['serial-reused', `# serial: 2\n${OLD}\n`, `# serial: 2\n${NEW}\n`],
  ['expired', `${OLD}\n`, `# expires: 2020-01-01T00:00:00Z\n${NEW}\n`],
])('what a host would not take is said (%s): exit 4', async (code, old, next) => {
  const refused = await diff(old, next)
  expect(refused.code).toBe(4)
  expect(refused.stdout).toContain(`(${code})`)
  expect(JSON.parse((await diff(old, next, '--json')).stdout)).toMatchObject({ taken: false, code })
})

test('a bundle that is none is named: exit 4; one bundle alone: exit 2', async () => {
  const refused = await diff(`${OLD}\n`, 'hello\n')
  expect(refused.code).toBe(4)
  expect(refused.stdout).toContain(`${join(folder.path, '1')}:1`)
  expect((await runBundle(['diff', 'x'])).code).toBe(2)
})
