import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parseAllowedSigners } from '../../agent/core/trust/allowed-signers.ts'
import { acceptBundle } from '../../agent/core/trust/trust.ts'
import { rounds } from '../campaign.ts'
import {
  type Pick,
  REFUSED_BY_BOTH,
  REFUSED_BY_US_ALONE,
  type Signed,
  TAKEN_BY_BOTH,
} from '../mutated-signed-bundle.ts'
import { type KeyKind, newKeyLine, type TokenKind } from '../ssh-keys.ts'
import { newSigner } from '../sshsig.ts'
import { describeTier } from './describe-tier.ts'
import { sshKeygenVerify } from './ssh-keygen-verify.ts'
import { type TempDir, tempDir } from './temp-dir.ts'
import { findTools } from './tools.ts'

const KINDS: (KeyKind | TokenKind)[] = [
  ...(['ed25519', 'p256', 'p384', 'p521', 'rsa'] as const),
  ...(['sk-ed25519', 'sk-p256'] as const),
]
const NOW = new Date('2026-11-20T12:00:00Z')
const WHO = 'ops@example.com'
/** Of each mutation, for each kind of signer, where there are as many. */
const TIMES = rounds({ slice: 6, whole: 19 })

describeTier('mutated signed bundles, judged by us and by ssh-keygen', findTools(), () => {
  let folder: TempDir
  beforeAll(async () => {
    folder = await tempDir()
  })
  afterAll(() => folder[Symbol.asyncDispose]())

  let refused = 0

  describe.each(KINDS)('signed by %s', kind => {
    const text = `# serial: 7012345\n# issued: 2026-11-20T10:00:00Z\n${newKeyLine('ed25519')} first\n${newKeyLine('ed25519')} second\n`
    const signer = newSigner(kind)
    const other = signer.sign(`# serial: 8\n${newKeyLine('ed25519')} other\n`)
    const signed: Signed = { text, signer, stranger: newSigner(kind), other }
    const allowed = `${WHO} namespaces="pomerium-user-ca" ${signer.line}\n`
    const parsed = parseAllowedSigners(allowed, () => ({ earliest: NOW, latest: NOW }))
    if ('faults' in parsed) throw new Error(JSON.stringify(parsed.faults))
    const byUs = (bytes: Buffer) =>
      acceptBundle(bytes, undefined, { signers: parsed.signers }, NOW).kind === 'accepted'
    const bySshKeygen = (bytes: Buffer) => {
      const file = join(folder.path, kind)
      writeFileSync(file, allowed)
      return sshKeygenVerify(bytes, file, WHO)
    }
    const pick = pickFrom(kind)

    test.each(Object.entries(REFUSED_BY_BOTH))('refused by both: %s', async (_, mutate) => {
      for (const bytes of variants(() => mutate(signed, pick))) {
        refused += 1
        const verdicts = { us: byUs(bytes), sshKeygen: await bySshKeygen(bytes) }
        expect({ ...verdicts, bytes: bytes.toString() }).toMatchObject({
          us: false,
          sshKeygen: false,
        })
      }
    })

    test.each(Object.entries(TAKEN_BY_BOTH))('taken by both: %s', async (_, mutate) => {
      for (let at = 0; at < 4; at++) {
        const bytes = Buffer.from(mutate(signed, pick) as string)
        const verdicts = { us: byUs(bytes), sshKeygen: await bySshKeygen(bytes) }
        expect({ ...verdicts, bytes: bytes.toString() }).toMatchObject({
          us: true,
          sshKeygen: true,
        })
      }
    })

    test.each(Object.entries(REFUSED_BY_US_ALONE))('refused by us alone: %s', async (_, mutate) => {
      const bytes = Buffer.from(mutate(signed, pick) as string)
      expect({ us: byUs(bytes), sshKeygen: await bySshKeygen(bytes) }).toEqual({
        us: false,
        sshKeygen: true,
      })
    })
  })

  test.each(['sk-ed25519', 'sk-p256'] as const)(
    'an untouched token is refused by us alone: %s',
    async kind => {
      const signer = newSigner(kind)
      const allowed = `${WHO} ${signer.line}\n`
      const file = join(folder.path, 'untouched')
      writeFileSync(file, allowed)
      const parsed = parseAllowedSigners(allowed, () => ({ earliest: NOW, latest: NOW }))
      if ('faults' in parsed) throw new Error(JSON.stringify(parsed.faults))
      for (const flags of [0, 1, 4, 5]) {
        const bytes = Buffer.from(signer.sign(`${newKeyLine('ed25519')}\n`, { flags }))
        const accepted = acceptBundle(bytes, undefined, { signers: parsed.signers }, NOW)
        expect(accepted.kind).toBe((flags & 1) === 1 ? 'accepted' : 'refused')
        expect(await sshKeygenVerify(bytes, file, WHO)).toBe(true)
      }
    },
  )

  const MANY = rounds({ slice: 600, whole: 2000 })
  test(`and these were ${MANY} different ones`, () => expect(refused).toBeGreaterThan(MANY))
})

/** Up to TIMES different ones. */
function variants(make: () => Buffer | string): Buffer[] {
  const made = Array.from({ length: TIMES * 2 }, () => Buffer.from(make() as string))
  const distinct = new Map(made.map(bytes => [bytes.toString('latin1'), bytes]))
  return [...distinct.values()].slice(0, TIMES)
}

/** A small generator (mulberry32), so that a failure comes again. */
function pickFrom(seed: string): Pick {
  let state = [...seed].reduce((sum, char) => sum * 31 + char.charCodeAt(0), 7) >>> 0
  return below => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}
