import { describe, expect, test } from 'vitest'
import { parseAllowedSigners } from '../../../agent/core/trust/allowed-signers.ts'
import { acceptBundle, type Held, type TrustPolicy } from '../../../agent/core/trust/trust.ts'
import { newKeyLine } from '../../ssh-keys.ts'
import { newSigner } from '../../sshsig.ts'

const NOW = new Date('2026-11-20T12:00:00Z')
const ANY: TrustPolicy = { signers: undefined }
const KEY = newKeyLine('ed25519')
const bytes = (text: string) => Buffer.from(text)
const accept = (text: string, held?: Held, policy = ANY) =>
  acceptBundle(bytes(text), held, policy, NOW)

function hold(text: string): Held {
  const accepted = accept(text)
  if (accepted.kind !== 'accepted') expect.fail(accepted.message)
  const { bundle, digest } = accepted
  return { digest, ...(bundle.serial === undefined ? {} : { serial: bundle.serial }) }
}

describe('serials', () => {
  const held = hold(`# serial: 5\n${KEY}\n`)
  test.each([
    ['the same bytes again', `# serial: 5\n${KEY}\n`, 'accepted'],
    ['a higher one', `# serial: 6\n${KEY}\n`, 'accepted'],
    ['a lower one', `# serial: 4\n${KEY}\n`, 'rollback'],
    ['the same with other bytes', `# serial: 5\n${KEY} x\n`, 'serial-reused'],
    ['none', `${KEY}\n`, 'serial-missing'],
  ])('%s after serial 5: %s → %s', (_, text, end) => {
    const accepted = accept(text, held)
    expect(accepted.kind === 'refused' ? accepted.code : accepted.kind).toBe(end)
  })

  test('a lower one is told which serial to publish with', () => {
    expect(accept(`# serial: 4\n${KEY}\n`, held)).toMatchObject({
      message: 'serial 4 is older than the held 5; publish with --serial 6',
    })
  })

  test('a host that has seen none takes any', () => {
    expect(accept(`# serial: 0\n${KEY}\n`, hold(`${KEY}\n`)).kind).toBe('accepted')
  })
})

describe('a signed bundle is what is signed in it', () => {
  const body = `# serial: 5\n${KEY}\n`
  const [ops, late] = [newSigner('ed25519'), newSigner('p256')]
  const signed = ops.sign(body)
  const parsed = parseAllowedSigners(
    `ops ${ops.line}\nlate valid-before="20200101Z" ${late.line}\n`,
    () => ({ earliest: NOW, latest: NOW }),
  )
  if ('faults' in parsed) throw new Error(JSON.stringify(parsed.faults))
  const policy = { signers: parsed.signers }
  const held = (() => {
    const accepted = accept(signed, undefined, policy)
    if (accepted.kind !== 'accepted' || !accepted.signer) throw new Error('not taken')
    return { digest: accepted.digest, serial: 5, signer: accepted.signer }
  })()

  test.each([
    ['with a blank in its armor', signed.replace('U1NIU0lH', 'U1NI U0lH')],
    ['with lines of another length', signed.replace('U1NIU0lH', 'U1NI\nU0lH')],
    ['with blank lines behind it', `${signed}\n\n`],
    ['signed anew', ops.sign(body, { hash: 'sha256' })],
  ])('%s it is the same one, before and after', (_, again) => {
    expect(again).not.toBe(signed)
    expect(accept(again, held, policy)).toMatchObject({ kind: 'accepted', digest: held.digest })
    const first = accept(again, undefined, policy)
    if (first.kind !== 'accepted') expect.fail(first.message)
    expect(accept(signed, { ...held, digest: first.digest }, policy).kind).toBe('accepted')
  })

  test('signed at last, or unsigned again where nobody asks, it spends no serial', () => {
    expect(accept(signed, hold(body), policy).kind).toBe('accepted')
    expect(accept(body, hold(signed)).kind).toBe('accepted')
  })

  test('with another content it is another one', () => {
    const other = ops.sign(body.replace(' ca', '').replace(KEY, `${KEY} x`))
    expect(accept(other, held, policy)).toMatchObject({ code: 'serial-reused' })
  })

  test('only who signed what is held may be over time with it', () => {
    expect(accept(late.sign(body), held, policy)).toMatchObject({ code: 'signer-expired' })
    const over = policy.signers.map(each => ({ ...each, validBefore: new Date('2020-01-01') }))
    expect(accept(signed, held, { signers: over }).kind).toBe('accepted')
  })
})

describe('expiry', () => {
  const text = `# expires: 2026-11-20T12:00:00Z\n${KEY}\n`
  test('an expired bundle is refused as new, and kept where it is held', () => {
    expect(accept(text)).toMatchObject({ kind: 'refused', code: 'expired' })
    const digest = acceptBundle(bytes(text), undefined, ANY, new Date('2026-11-20T11:59:59Z'))
    if (digest.kind !== 'accepted') expect.fail(digest.message)
    expect(accept(text, { digest: digest.digest }).kind).toBe('accepted')
  })
})

describe('the operator’s limits', () => {
  test('every key must be in trust.fingerprints', () => {
    const accepted = accept(`${KEY}\n`)
    if (accepted.kind !== 'accepted') expect.fail(accepted.message)
    const { fingerprint } = accepted.bundle.keys[0]
    const policy = { ...ANY, fingerprints: [fingerprint] }
    expect(accept(`${KEY}\n`, undefined, policy).kind).toBe('accepted')
    const two = accept(`${KEY}\n${newKeyLine('ed25519')}\n`, undefined, policy)
    expect(two).toMatchObject({ kind: 'refused', code: 'fingerprint-not-allowed' })
  })

  test('an unsigned bundle is refused where signers are named', () => {
    const refused = accept(`${KEY}\n`, undefined, { signers: [] })
    expect(refused).toMatchObject({ kind: 'refused', code: 'unsigned' })
  })

  test('where none are named, a signed bundle is taken as one that is not', () => {
    const signed = `${KEY}\n-----BEGIN SSH SIGNATURE-----\nAAAA\n-----END SSH SIGNATURE-----\n`
    const taken = accept(signed)
    expect(taken).toMatchObject({
      kind: 'accepted',
      warnings: [expect.stringContaining('set trust.signers_file')],
    })
    expect(accept(`${KEY}\n`)).toMatchObject({ warnings: [] })
    expect(taken).not.toHaveProperty('signer')
    expect(accept(signed, undefined, { signers: [] })).toMatchObject({
      code: 'malformed-signature',
    })
  })
})
