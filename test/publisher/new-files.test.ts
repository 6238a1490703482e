import { lstatSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parseAllowedSigners } from '../../agent/core/trust/allowed-signers.ts'
import { localTime } from '../../agent/provisioner/openssh/local-time.ts'
import { writeNewFile } from '../../agent/publisher/new-file.ts'
import { isSignerName, newSigner } from '../../agent/publisher/new-signer.ts'
import { type TempDir, tempDir } from '../sshd/temp-dir.ts'

let folder: TempDir
const at = (name: string) => join(folder.path, name)
const modeOf = (path: string) => lstatSync(path).mode & 0o777
const isThere = (path: string) => lstatSync(path, { throwIfNoEntry: false }) !== undefined

beforeAll(async () => {
  folder = await tempDir()
})
afterAll(() => folder[Symbol.asyncDispose]())

test('a new file has its mode; what is there stays, be it a link that leads nowhere', () => {
  writeNewFile(at('new'), 'x', 0o600)
  expect([readFileSync(at('new'), 'utf8'), modeOf(at('new'))]).toEqual(['x', 0o600])
  symlinkSync(at('elsewhere'), at('link'))
  for (const name of ['new', 'link']) {
    expect(() => writeNewFile(at(name), 'y', 0o600)).toThrow('EEXIST')
  }
  expect(readFileSync(at('new'), 'utf8')).toBe('x')
  expect(isThere(at('elsewhere'))).toBe(false)
})

const wish = (name: string) => ({ file: at(name), name: 'alice@laptop', noPassphrase: true })

test('a key for its owner alone, and a line that hosts take', async () => {
  const made = await newSigner(wish('signer'))
  if (made.kind === 'problem') throw new Error(made.message)
  expect(made.line).toMatch(
    /^alice@laptop namespaces="pomerium-user-ca" ssh-ed25519 \S+ alice@laptop$/,
  )
  expect(parseAllowedSigners(`${made.line}\n`, localTime)).toMatchObject({ signers: [{}] })
  expect(modeOf(at('signer'))).toBe(0o600)
})

test.each(['taken', 'taken.pub'])('%s is there: it stays, and no key is made', async name => {
  writeFileSync(at(name), 'mine\n')
  expect(await newSigner(wish('taken'))).toMatchObject({
    kind: 'problem',
    message: expect.stringContaining('is there already, and is not overwritten'),
  })
  expect(readFileSync(at(name), 'utf8')).toBe('mine\n')
})

test.each(['*', 'a?', 'a b', 'a,b', '!a', '', '-a', '"a"', 'a\nb', 'x'.repeat(200)])(
  'a name that is a pattern, a list or an option: %j',
  name => {
    expect(isSignerName(name)).toBe(false)
  },
)
test.each(['alice', 'alice@laptop', 'a.b+c_d-e@x'])('a plain name: %s', name => {
  expect(isSignerName(name)).toBe(true)
})
