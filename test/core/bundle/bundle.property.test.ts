import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseBundle, renderCaKeys } from '../../../agent/core/bundle/bundle.ts'
import { mangledBundle } from '../../mangled-bundle.ts'
import { newKeyLine } from '../../ssh-keys.ts'

const RUNS = 10_000
const KEYS = [newKeyLine('ed25519'), newKeyLine('ed25519'), newKeyLine('p256'), newKeyLine('rsa')]

test('mangled bundles are refused with a code, or accepted and written in a form that is its own', () => {
  fc.assert(
    fc.property(mangledBundle(KEYS), bytes => {
      const parsed = parseBundle(bytes)
      if (parsed.kind === 'refused') {
        expect(parsed.code).toMatch(/^[a-z-]+$/)
        return
      }
      const canonical = renderCaKeys(parsed.keys)
      expect(canonical).toMatch(/^((ssh|ecdsa)-\S+ [A-Za-z0-9+/]+=*( [^\n\r]*)?\n)+$/)
      const again = parseBundle(Buffer.from(canonical))
      expect(again.kind === 'bundle' && renderCaKeys(again.keys)).toBe(canonical)
      // Nothing is trusted that did not stand there whole.
      for (const key of parsed.keys) expect(bytes.toString()).toContain(key.base64)
    }),
    { numRuns: RUNS },
  )
})

test('a key is accepted exactly when it is whole', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...KEYS),
      fc.nat(),
      fc.integer({ min: 1, max: 255 }),
      (line, at, flip) => {
        const [type = '', base64 = ''] = line.split(' ')
        const blob = Buffer.from(base64, 'base64')
        // Behind the type, the lengths and an RSA exponent, an ed25519 key may be any bytes.
        const index = at % (4 + type.length + 4)
        blob.writeUInt8(blob.readUInt8(index) ^ flip, index)
        expect(parseBundle(Buffer.from(`${type} ${blob.toString('base64')}\n`)).kind).toBe(
          'refused',
        )
      },
    ),
    { numRuns: 2000 },
  )
})
