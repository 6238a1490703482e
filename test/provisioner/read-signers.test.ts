import { chmodSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { provision } from '../../agent/provisioner/provision.ts'
import { readSigners } from '../../agent/provisioner/read-signers.ts'
import { newKeyLine } from '../ssh-keys.ts'
import { newSigner } from '../sshsig.ts'
import { defaultConfig, type TemporaryHost, temporaryHost } from './temporary-host.ts'

const PATH = '/etc/pomerium/bundle-signers'
const SIGNER = newSigner('ed25519')
const TEXT = `# serial: 1\n${newKeyLine('ed25519')} ca\n`

let it: TemporaryHost
beforeEach(async () => {
  it = await temporaryHost()
  chmodSync(it.root, 0o755)
  mkdirSync(dirname(it.host.at(PATH)))
  writeFileSync(it.host.at(PATH), `ops@example.com ${SIGNER.line}\n`)
})
afterEach(() => it[Symbol.dispose]())

const offer = (text: string) => {
  const config = { ...defaultConfig(), trust: { signersFile: PATH } }
  return provision({ bundle: Buffer.from(text), source: 'test', config, now: new Date() }, it.host)
}

describe('the signers file', () => {
  test('is read where root alone can write it and every folder on its way', () => {
    expect(readSigners(it.host, PATH)).toMatchObject({
      kind: 'signers',
      signers: [{ principals: 'ops@example.com' }],
    })
  })

  test.each<[string, string, (path: string, host: TemporaryHost) => void]>([
    ['is missing', 'signers-file-missing', path => rmSync(path)],
    ['can be written by its group', 'signers-file-unsafe', path => chmodSync(path, 0o664)],
    ['can be written by all', 'signers-file-unsafe', path => chmodSync(path, 0o646)],
    ['lies in a folder of all', 'signers-file-unsafe', path => chmodSync(dirname(path), 0o777)],
    ['lies below a folder of all', 'signers-file-unsafe', (_, { root }) => chmodSync(root, 0o777)],
    [
      'is a link',
      'signers-file-unsafe',
      path => {
        renameSync(path, `${path}.real`)
        symlinkSync(`${path}.real`, path)
      },
    ],
    [
      'is a folder',
      'signers-file-unsafe',
      path => {
        rmSync(path)
        mkdirSync(path)
      },
    ],
    [
      'belongs to another',
      'signers-file-unsafe',
      (_, { host }) => {
        host.owner = { ...host.owner, uid: host.owner.uid + 1 }
      },
    ],
    ['has a bad line', 'signers-file-malformed', path => writeFileSync(path, 'ops\n')],
    ['names nobody', 'signers-file-malformed', path => writeFileSync(path, '')],
  ])('%s: the host is refused (%s), and nothing is touched', async (_, code, spoil) => {
    spoil(it.host.at(PATH), it)
    expect(await offer(SIGNER.sign(TEXT))).toMatchObject({
      outcome: 'host-refused',
      code,
      message: expect.stringContaining(PATH),
      steps: [],
      trusted: [],
    })
  })

  test('names file and line of what is wrong in it', async () => {
    writeFileSync(it.host.at(PATH), `# ours\nops ${SIGNER.line.slice(0, -4)}\n`)
    expect((await offer(SIGNER.sign(TEXT))).message).toContain(`${PATH}:2: `)
  })
})

test('with signers a bundle of theirs is applied, and no other', async () => {
  expect(await offer(TEXT)).toMatchObject({ outcome: 'refused', code: 'unsigned', trusted: [] })
  const stranger = newSigner('ed25519').sign(TEXT)
  expect(await offer(stranger)).toMatchObject({ outcome: 'refused', code: 'unknown-signer' })
  expect(await offer(SIGNER.sign(TEXT))).toMatchObject({ outcome: 'applied', serial: 1 })
  expect(await offer(TEXT)).toMatchObject({ outcome: 'refused', code: 'unsigned', serial: 1 })
})

test('what is held is kept when its signer’s time is over, and taken from nobody new', async () => {
  const signed = SIGNER.sign(TEXT)
  await offer(signed)
  writeFileSync(it.host.at(PATH), `ops valid-before="20200101Z" ${SIGNER.line}\n`)
  expect(await offer(signed)).toMatchObject({ outcome: 'unchanged' })
  const next = SIGNER.sign(TEXT.replace('serial: 1', 'serial: 2'))
  expect(await offer(next)).toMatchObject({ outcome: 'refused', code: 'signer-expired' })
})

test('what was taken while no signers were asked for may have been signed at any time', async () => {
  const bundle = Buffer.from(SIGNER.sign(TEXT))
  await provision({ bundle, source: 'test', config: defaultConfig(), now: new Date() }, it.host)
  writeFileSync(it.host.at(PATH), `ops valid-before="20200101Z" ${SIGNER.line}\n`)
  expect(await offer(SIGNER.sign(TEXT))).toMatchObject({ code: 'signer-expired' })
})
