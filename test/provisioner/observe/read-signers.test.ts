import { createHash } from 'node:crypto'
import {
  chmodSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Host } from '../../../agent/provisioner/host/host.ts'
import { readSigners } from '../../../agent/provisioner/observe/read-signers.ts'
import { preview } from '../../../agent/provisioner/preview.ts'
import { provision } from '../../../agent/provisioner/provision.ts'
import { stateOrFresh } from '../../../agent/provisioner/records/state.ts'
import { repair } from '../../../agent/provisioner/repair.ts'
import { newKeyLine } from '../../ssh-keys.ts'
import { newSigner } from '../../sshsig.ts'
import { defaultConfig, type TemporaryHost, temporaryHost } from '../temporary-host.ts'

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

const offer = async (text: string) => {
  const config = { ...defaultConfig(), trust: { signersFile: PATH } }
  const request = { bundle: Buffer.from(text), source: 'test', config, now: new Date() }
  return (await provision(request, it.host)).outcome
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
      (_, it) => {
        const { host } = it
        it.host = { ...host, owner: { ...host.owner, uid: host.owner.uid + 1 } }
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

describe('the second verifier', () => {
  const alarms: string[] = []
  beforeEach(() => {
    alarms.length = 0
    it.host = { ...it.host, alarm: async code => void alarms.push(code) }
  })
  const config = () => ({ ...defaultConfig(), trust: { signersFile: PATH } })

  test('is asked about the very line that lets sign, without its times', async () => {
    const asked: string[] = []
    const verifyAgain: Host['verifyAgain'] = async ({ signersLine, principal, signed }) => {
      asked.push(signersLine, principal, Buffer.from(signed).toString())
      return { kind: 'good' }
    }
    it.host = { ...it.host, verifyAgain }
    const lines = [
      `else ${newSigner('p256').line}`,
      `*,!x valid-after="20200101Z" ${SIGNER.line} me`,
    ]
    writeFileSync(it.host.at(PATH), `${lines.join('\n')}\n`)
    expect(await offer(SIGNER.sign(TEXT))).toMatchObject({ outcome: 'applied' })
    expect(asked).toEqual([`*,!x ${SIGNER.line} me`, '*', TEXT])
    // What we refuse it is not asked about.
    await offer(newSigner('ed25519').sign(TEXT))
    expect(asked).toHaveLength(3)
  })

  test('says no: refused with a code of its own, with an alarm, and nothing is touched', async () => {
    await offer(SIGNER.sign(TEXT))
    it.host = {
      ...it.host,
      verifyAgain: async () => ({ kind: 'bad', message: 'incorrect signature' }),
    }
    const next = SIGNER.sign(TEXT.replace('serial: 1', 'serial: 2'))
    const refused = { outcome: 'refused', code: 'verifiers-disagree', steps: [], serial: 1 }
    expect(await offer(next)).toMatchObject(refused)
    expect((await repair(config(), new Date(), it.host)).outcome).toMatchObject(refused)
    const request = { bundle: Buffer.from(next), source: 'x', config: config(), now: new Date() }
    expect(await preview(request, it.host)).toMatchObject({ code: 'verifiers-disagree' })
    expect(alarms).toEqual(Array(3).fill('verifiers-disagree'))
    expect(stateOrFresh(it.host).held?.serial).toBe(1)
  })

  test('can’t be asked: the host is refused; is not there: said', async () => {
    it.host = { ...it.host, verifyAgain: async () => ({ kind: 'failed', message: 'EPERM' }) }
    const signed = SIGNER.sign(TEXT)
    expect(await offer(signed)).toMatchObject({
      outcome: 'host-refused',
      code: 'ssh-keygen-failed',
    })
    it.host = {
      ...it.host,
      verifyAgain: async () => ({ kind: 'not-there', message: 'there is none' }),
    }
    expect(await offer(signed)).toMatchObject({
      outcome: 'applied',
      warnings: [expect.stringContaining('by this program alone')],
    })
    expect(alarms).toEqual([])
  })
})

describe('a bundle whose armor is written otherwise', () => {
  const signed = SIGNER.sign(TEXT)
  const spaced = signed.replace('U1NIU0lH', 'U1NI U0lH')

  test('is the one that is held, and so is the genuine one behind it', async () => {
    expect(await offer(spaced)).toMatchObject({ outcome: 'applied' })
    expect(await offer(signed)).toMatchObject({ outcome: 'unchanged' })
    expect(await offer(spaced)).toMatchObject({ outcome: 'unchanged' })
  })

  test('also where an older version held it, by the digest of all bytes', async () => {
    await offer(spaced)
    const path = it.host.at(it.host.layout.stateFile.path)
    const state = JSON.parse(readFileSync(path, 'utf8'))
    state.held.digest = createHash('sha256').update(spaced).digest('hex')
    const older = `${JSON.stringify(state, null, 2)}\n`
    writeFileSync(path, older)
    expect(await offer(spaced)).toMatchObject({ outcome: 'unchanged' })
    // Nor is it written anew for that: the older version may come back.
    expect(readFileSync(path, 'utf8')).toBe(older)
    expect(await offer(signed)).toMatchObject({ outcome: 'unchanged' })
    const other = SIGNER.sign(`${TEXT}# more\n`)
    expect(await offer(other)).toMatchObject({ outcome: 'refused', code: 'serial-reused' })
  })
})

test('a time without Z is warned of', async () => {
  writeFileSync(it.host.at(PATH), `ops valid-after="20200101" ${SIGNER.line}\n`)
  expect(await offer(SIGNER.sign(TEXT))).toMatchObject({
    outcome: 'applied',
    warnings: [expect.stringContaining('line 1 of trust.signers_file has a time without Z')],
  })
})
