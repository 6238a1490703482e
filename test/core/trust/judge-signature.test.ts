import { describe, expect, test } from 'vitest'
import { parseBundle } from '../../../agent/core/bundle/bundle.ts'
import { readWireStrings, wireString } from '../../../agent/core/keys/wire-strings.ts'
import { parseAllowedSigners } from '../../../agent/core/trust/allowed-signers.ts'
import { judgeSignature } from '../../../agent/core/trust/judge-signature.ts'
import { newKeyLine } from '../../ssh-keys.ts'
import { armor, newSigner, type SignatureParts, type TestSigner } from '../../sshsig.ts'

const NOW = new Date('2026-11-20T12:00:00Z')
const TEXT = `# serial: 7\n${newKeyLine('ed25519')} ca\n`
const TOKENS = ['sk-ed25519', 'sk-p256'] as const
const KINDS = ['ed25519', 'p256', 'p384', 'p521', 'rsa', ...TOKENS] as const
const SIGNERS = KINDS.map(kind => ({ kind, signer: newSigner(kind) }))
const signerOf = (kind: (typeof KINDS)[number]) => {
  const found = SIGNERS.find(each => each.kind === kind)
  if (found === undefined) throw new Error(kind)
  return found.signer
}
const ED25519 = signerOf('ed25519')
const ALL = SIGNERS.map(({ kind, signer }) => `${kind}@example.com ${signer.line}`).join('\n')

function judge(text: string, allowed = ALL) {
  const parsed = parseAllowedSigners(allowed, () => ({ earliest: NOW, latest: NOW }))
  if ('faults' in parsed) throw new Error(JSON.stringify(parsed.faults))
  const bundle = parseBundle(Buffer.from(text))
  if (bundle.kind === 'refused' || bundle.signature === undefined) throw new Error('not signed')
  const verdict = judgeSignature(bundle.signature, parsed.signers, NOW)
  return verdict.kind === 'refused' ? verdict.code : verdict.signer.principal
}

describe('a signature is taken', () => {
  test.each(SIGNERS)('by $kind, with sha512 and sha256', ({ kind, signer }) => {
    expect(judge(signer.sign(TEXT))).toBe(`${kind}@example.com`)
    expect(judge(signer.sign(TEXT, { hash: 'sha256' }))).toBe(`${kind}@example.com`)
  })

  test.each<[string, SignatureParts]>([
    ['of an older version', { version: 0 }],
    ['with something reserved in it', { reserved: 'for later' }],
  ])('%s: the protocol lets verifiers pass it', (_, parts) => {
    expect(judge(ED25519.sign(TEXT, parts))).toBe('ed25519@example.com')
  })

  test('by rsa-sha2-256, and where the RSA number has lost a zero in front', () => {
    const rsa = signerOf('rsa')
    expect(judge(rsa.sign(TEXT, { algorithm: 'rsa-sha2-256' }))).toBe('rsa@example.com')
    let twisted = false
    for (let serial = 0; !twisted && serial < 5000; serial++) {
      const text = TEXT.replace('7', String(serial))
      const twist = (signature: Buffer) => {
        twisted = signature[0] === 0
        return twisted ? signature.subarray(1) : signature
      }
      const signed = rsa.sign(text, { twist })
      if (twisted) expect(judge(signed)).toBe('rsa@example.com')
    }
    expect(twisted).toBe(true)
  })
})

describe('a signature is refused', () => {
  test.each<[string, string, SignatureParts]>([
    ['another namespace', 'wrong-namespace', { namespace: 'file' }],
    ['none', 'wrong-namespace', { namespace: '' }],
    ['a namespace in name only', 'bad-signature', { signedNamespace: 'file' }],
    ['a newer version', 'malformed-signature', { version: 2 }],
    ['another magic', 'malformed-signature', { magic: 'SSHSIX' }],
    ['a hash of its own', 'unsupported-signature', { hash: 'sha1' }],
    ['an algorithm of another key', 'unsupported-signature', { algorithm: 'rsa-sha2-512' }],
    ['the key of another', 'bad-signature', { keyBlob: newSigner('ed25519').blob }],
    ['a key of another type', 'unsupported-signature', { keyBlob: signerOf('p256').blob }],
    ['a key cut off', 'malformed-signature', { keyBlob: ED25519.blob.subarray(0, -1) }],
    ['no key', 'malformed-signature', { keyBlob: Buffer.alloc(0) }],
    ['a key of no type', 'unsupported-signature', { keyBlob: wireString('nothing') }],
    ['bytes behind it', 'malformed-signature', { tail: Buffer.of(0) }],
    ['a byte less', 'bad-signature', { twist: whole => whole.subarray(1) }],
    ['a byte more', 'bad-signature', { twist: whole => Buffer.concat([whole, Buffer.of(0)]) }],
    ['an S that is not reduced', 'bad-signature', { twist: addGroupOrder }],
  ])('for %s: %s', (_, code, parts) => {
    expect(judge(ED25519.sign(TEXT, parts))).toBe(code)
  })

  test.each(TOKENS)('by a token: %s', kind => {
    const signer = signerOf(kind)
    const plain = signer.line.replace(/^sk-/, '').split('@')[0] ?? ''
    const cases: [string, SignatureParts][] = [
      // By user verification alone (a PIN), untouched.
      ['untouched-key', { flags: 4 }],
      ['bad-signature', { token: Buffer.of(1, 0, 0, 0, 8) }],
      ['bad-signature', { flags: 0, token: Buffer.of(1, 0, 0, 0, 7) }],
      ['unsupported-signature', { token: Buffer.of(1, 0, 0, 0) }],
      ['unsupported-signature', { token: Buffer.alloc(0) }],
      ['unsupported-signature', { algorithm: plain }],
      ['unsupported-signature', { algorithm: 'webauthn-sk-ecdsa-sha2-nistp256@openssh.com' }],
      ['malformed-signature', { keyBlob: signer.blob.subarray(0, -1) }],
      ['bad-signature', { keyBlob: newSigner(kind).blob }],
    ]
    for (const [code, parts] of cases) expect(judge(signer.sign(TEXT, parts))).toBe(code)
  })

  test.each(Object.getOwnPropertyNames(Object.prototype))(
    'by what every object of JavaScript has: %s',
    name => {
      for (const { signer } of SIGNERS) {
        const forged = { algorithm: name, twist: () => Buffer.alloc(64) }
        expect(judge(signer.sign(TEXT, forged))).toBe('unsupported-signature')
        // With the key of a listed signer, and with one whose type is such a name.
        const keyBlob = Buffer.concat([wireString(name), signer.blob])
        for (const algorithm of [name, 'ssh-ed25519']) {
          expect(judge(signer.sign(TEXT, { keyBlob, algorithm }))).toBe('unsupported-signature')
        }
        expect(judge(resigned(signer, { hash: name }))).toBe('unsupported-signature')
        expect(judge(resigned(signer, { namespace: name }))).toBe('wrong-namespace')
      }
    },
  )

  test('by numbers with more zeros in front than their sign needs', () => {
    const p256 = signerOf('p256')
    const padded = (zeros: number) => (signature: Buffer) =>
      Buffer.concat(
        (readWireStrings(signature, 2) ?? []).map(number =>
          wireString(Buffer.concat([Buffer.alloc(zeros), number])),
        ),
      )
    expect(judge(p256.sign(TEXT, { twist: padded(3000) }))).toBe('bad-signature')
  })

  test('by ssh-rsa, which is SHA-1', () => {
    expect(judge(signerOf('rsa').sign(TEXT, { algorithm: 'ssh-rsa' }))).toBe(
      'unsupported-signature',
    )
  })

  test('for r and s of zero', () => {
    const zeros = Buffer.concat([wireString(''), wireString('')])
    expect(judge(signerOf('p256').sign(TEXT, { twist: () => zeros }))).toBe('bad-signature')
  })

  test('for text that was changed after it', () => {
    expect(judge(ED25519.sign(TEXT).replace('serial: 7', 'serial: 8'))).toBe('bad-signature')
  })

  test.each([
    ['a stranger', 'unknown-signer', `ops ${newKeyLine('ed25519')}`],
    ['another namespace', 'signer-namespace', `ops namespaces="file,git" ${ED25519.line}`],
    ['all but ours', 'signer-namespace', `ops namespaces="*,!pomerium-*" ${ED25519.line}`],
    ['a time over', 'signer-expired', `ops valid-before="20261120115959Z" ${ED25519.line}`],
    ['a time to come', 'signer-not-yet-valid', `ops valid-after="202611201201Z" ${ED25519.line}`],
  ])('where the signers are of %s: %s', (_, code, allowed) => {
    expect(judge(ED25519.sign(TEXT), allowed)).toBe(code)
  })
})

test.each([
  ['its namespace by pattern', `ops namespaces="pomerium-*" ${ED25519.line}`],
  ['the last second', `ops valid-before="20261120120000Z" ${ED25519.line}`],
  ['the first second', `ops valid-after="20261120120000Z" ${ED25519.line}`],
  ['a second line that lets it', `x namespaces="file" ${ED25519.line}\nops ${ED25519.line}`],
])('a signer may sign by %s', (_, allowed) => {
  expect(judge(ED25519.sign(TEXT), allowed)).toBe('ops')
})

/** A good signature in which a name was replaced afterwards. */
function resigned(signer: TestSigner, { hash, namespace }: SignatureParts): string {
  const blob = Buffer.from(
    signer.sign(TEXT).slice(TEXT.length).split('\n').slice(1, -2).join(''),
    'base64',
  )
  const strings = readWireStrings(blob.subarray(10), 5) ?? []
  if (namespace !== undefined) strings[1] = Buffer.from(namespace)
  if (hash !== undefined) strings[3] = Buffer.from(hash)
  return TEXT + armor(Buffer.concat([blob.subarray(0, 10), ...strings.map(wireString)]))
}

/** The same signature to a verifier that does not look whether S is below the group's order. */
function addGroupOrder(signature: Buffer): Buffer {
  const order = 2n ** 252n + 27742317777372353535851937790883648493n
  const s = BigInt(`0x${Buffer.from(signature.subarray(32)).reverse().toString('hex')}`) + order
  const more = Buffer.from(s.toString(16).padStart(64, '0'), 'hex').reverse()
  return Buffer.concat([signature.subarray(0, 32), more])
}
