// Signatures with any field replaced by anything, mostly by names that JavaScript finds in every object;
// each is judged by us and by ssh-keygen -Y verify.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readWireStrings, wireString } from '../../agent/core/keys/wire-strings.ts'
import { parseAllowedSigners } from '../../agent/core/trust/allowed-signers.ts'
import { acceptBundle } from '../../agent/core/trust/trust.ts'
import { campaign } from '../campaign.ts'
import { type KeyKind, newKeyLine, type TokenKind } from '../ssh-keys.ts'
import { armor, newSigner } from '../sshsig.ts'
import { askMany } from './ask-many.ts'
import { describeTier } from './describe-tier.ts'
import { type TempDir, tempDir } from './temp-dir.ts'
import { findTools } from './tools.ts'

const KINDS: (KeyKind | TokenKind)[] = [
  ...(['ed25519', 'p256', 'p384', 'p521', 'rsa', 'sk-ed25519', 'sk-p256'] as const),
]
const NOW = new Date('2026-11-20T12:00:00Z')
const TEXT = `# serial: 7\n${newKeyLine('ed25519')} ca\n`
const SIGNERS = KINDS.map(kind => ({ kind, signer: newSigner(kind) }))

/** The fields of a signature, as they lie one behind the other. */
interface Fields {
  magic: Buffer
  version: Buffer
  keyType: Buffer
  keyRest: Buffer
  namespace: Buffer
  reserved: Buffer
  hash: Buffer
  algorithm: Buffer
  signature: Buffer
  tail: Buffer
}
const FIELDS: (keyof Fields)[] = [
  ...(['magic', 'version', 'keyType', 'keyRest', 'namespace', 'reserved'] as const),
  ...(['hash', 'algorithm', 'signature', 'tail'] as const),
]

const blobOf = (bundle: string) =>
  Buffer.from(bundle.slice(TEXT.length).split('\n').slice(1, -2).join(''), 'base64')

function take(bytes: Buffer): [first: Buffer, rest: Buffer] {
  const end = 4 + bytes.readUInt32BE(0)
  return [bytes.subarray(4, end), bytes.subarray(end)]
}

function fieldsOf(bundle: string): Fields {
  const blob = blobOf(bundle)
  const strings = readWireStrings(blob.subarray(10), 5) as [Buffer, Buffer, Buffer, Buffer, Buffer]
  const [key, namespace, reserved, hash, whole] = strings
  const [keyType, keyRest] = take(key)
  const [algorithm, behind] = take(whole)
  const [signature, tail] = take(behind)
  const head = { magic: blob.subarray(0, 6), version: blob.subarray(6, 10) }
  return { ...head, keyType, keyRest, namespace, reserved, hash, algorithm, signature, tail }
}

function bundleOf(fields: Fields): Buffer {
  const { magic, version, keyType, keyRest, namespace, reserved, hash } = fields
  const key = Buffer.concat([wireString(keyType), keyRest])
  const { algorithm, signature, tail } = fields
  const inner = Buffer.concat([wireString(algorithm), wireString(signature), tail])
  const strings = [key, namespace, reserved, hash, inner].map(wireString)
  return Buffer.from(TEXT + armor(Buffer.concat([magic, version, ...strings])))
}

const INHERITED = Object.getOwnPropertyNames(Object.prototype)
const KNOWN = [
  ...SIGNERS.map(({ signer }) => signer.line.split(' ')[0] ?? ''),
  ...['rsa-sha2-256', 'rsa-sha2-512', 'ssh-dss', 'webauthn-sk-ecdsa-sha2-nistp256@openssh.com'],
  ...['sha256', 'sha512', 'sha1', 'pomerium-user-ca', 'file', 'ssh-ed25519-cert-v01@openssh.com'],
]
const arbitraryBytes = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...INHERITED).map(name => Buffer.from(name)) },
  { weight: 2, arbitrary: fc.constantFrom(...KNOWN).map(name => Buffer.from(name)) },
  { weight: 1, arbitrary: fc.string({ maxLength: 40 }).map(text => Buffer.from(text)) },
  {
    weight: 1,
    arbitrary: fc.uint8Array({ maxLength: 80 }).map(bytes => Buffer.from(bytes)),
  },
)
/** One field becomes something else, or keeps its bytes but for one, some more, or some fewer. */
const arbitraryChange = fc.record({
  field: fc.constantFrom(...FIELDS),
  change: fc.oneof(
    arbitraryBytes.map(bytes => () => bytes),
    arbitraryBytes.map(bytes => (field: Buffer) => Buffer.concat([field, bytes])),
    arbitraryBytes.map(bytes => (field: Buffer) => Buffer.concat([bytes, field])),
    fc.nat().map(at => (field: Buffer) => field.subarray(0, at % (field.length + 1))),
    fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })).map(([at, mask]) => (field: Buffer) => {
      const copy = Buffer.from(field)
      if (copy.length > 0) copy[at % copy.length] = (copy[at % copy.length] ?? 0) ^ mask
      return copy
    }),
    fc.nat(40).map(zeros => (field: Buffer) => Buffer.concat([Buffer.alloc(zeros), field])),
  ),
})
const arbitraryCase = fc.record({
  who: fc.constantFrom(...SIGNERS),
  hash: fc.constantFrom('sha256', 'sha512'),
  flags: fc.constantFrom(1, 1, 1, 0, 4, 5),
  changes: fc.array(arbitraryChange, { maxLength: 3 }),
})

/** Where we are stricter, each for its reason; see also mutated-signed-bundle.ts. */
function isNamed({ ours, flags, changed }: { ours: string; flags: number; changed: string[] }) {
  // Nobody touched the token.
  if (ours === 'untouched-key') return (flags & 1) === 0 || changed.includes('tail')
  // A NUL behind a name: the end of it to ssh-keygen.
  if (ours === 'wrong-namespace') return changed.includes('namespace')
  // A key's type, a hash or an algorithm by another of the names that ssh-keygen has for it.
  const names = ['keyType', 'hash', 'algorithm']
  if (ours === 'unsupported-signature') return names.some(name => changed.includes(name))
  // Zeros before a number, more than its sign needs.
  return ours === 'bad-signature' && changed.includes('signature')
}

describeTier('any signature, judged by us and by ssh-keygen', findTools(), () => {
  let folder: TempDir
  beforeAll(async () => {
    folder = await tempDir()
  })
  afterAll(() => folder[Symbol.asyncDispose]())

  test('we take none that ssh-keygen refuses, and stumble over none', {
    timeout: 1_800_000,
  }, async () => {
    const allowed = SIGNERS.map(({ signer }) => `ops ${signer.line}\n`).join('')
    const parsed = parseAllowedSigners(allowed, () => ({ earliest: NOW, latest: NOW }))
    if ('faults' in parsed) throw new Error(JSON.stringify(parsed.faults))
    const policy = { signers: parsed.signers }
    const at = (name: string | number) => join(folder.path, String(name))
    writeFileSync(at('text'), TEXT)
    writeFileSync(at('allowed'), allowed)

    const params = campaign('signatures', { slice: 600, whole: 20_000 })
    const signed = new Map<string, Fields>()
    const cases = fc.sample(arbitraryCase, params).map(({ who, hash, flags, changes }, index) => {
      const { kind, signer } = who
      const name = `${kind} ${hash} ${flags}`
      const good = signed.get(name) ?? fieldsOf(signer.sign(TEXT, { hash, flags }))
      signed.set(name, good)
      const fields = { ...good }
      for (const { field, change } of changes) fields[field] = change(fields[field])
      const bytes = bundleOf(fields)
      writeFileSync(at(`${index}.sig`), bytes.subarray(TEXT.length))
      const verdict = acceptBundle(bytes, undefined, policy, NOW)
      const changed = changes.map(({ field }) => field)
      return {
        kind,
        flags,
        changed,
        bytes,
        ours: verdict.kind === 'refused' ? verdict.code : 'taken',
      }
    })
    const asked = `ssh-keygen -Y verify -n pomerium-user-ca -I ops -f allowed -s $i.sig <text`
    const theirs = await askMany(folder.path, cases.length, asked)
    const judged = cases.map((each, index) => ({ ...each, theirs: theirs[index] }))

    const show = ({ kind, changed, ours, bytes }: (typeof judged)[0]) => ({
      kind,
      changed,
      ours,
      bundle: `${allowed}${bytes.toString()}`,
    })
    expect(judged.filter(each => each.ours === 'taken' && each.theirs !== true).map(show)).toEqual(
      [],
    )
    const stricter = judged.filter(each => each.ours !== 'taken' && each.theirs === true)
    expect(stricter.filter(each => !isNamed(each)).map(show)).toEqual([])
    // Or it would prove nothing.
    expect(judged.filter(each => each.ours === 'taken').length).toBeGreaterThan(params.numRuns / 10)
  })
})
