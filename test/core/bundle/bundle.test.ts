import { describe, expect, test } from 'vitest'
import { parseBundle, renderCaKeys } from '../../../agent/core/bundle/bundle.ts'
import { REFUSED_FORMS } from '../../refused-forms.ts'
import { newKeyLine } from '../../ssh-keys.ts'

const parse = (text: string | Buffer) => parseBundle(Buffer.from(text as string))
const KEY = newKeyLine('ed25519')
const OTHER = newKeyLine('ed25519')

describe('a bundle is accepted', () => {
  test.each([
    ['ssh-ed25519', KEY],
    ['ecdsa-sha2-nistp256', newKeyLine('p256')],
    ['ecdsa-sha2-nistp384', newKeyLine('p384')],
    ['ecdsa-sha2-nistp521', newKeyLine('p521')],
    ['ssh-rsa', newKeyLine('rsa')],
  ])('with one %s line', (type, line) => {
    const bundle = parse(`${line} a comment\n`)
    expect(bundle).toMatchObject({ kind: 'bundle', keys: [{ type, comment: 'a comment' }] })
    expect(bundle).not.toHaveProperty('keys.0.warning')
  })

  test('with headers, plain comments, blank lines and CRLF, and is written in canonical form', () => {
    const bundle = parse(
      `# serial: 42\r\n# issued: 2026-11-20T10:00:00Z\n# expires: 2026-12-20T10:00:00+01:00\n` +
        `# colour: blue\n# made by hand\n\n  ${KEY}\tnew   one \n# old: one\n${OTHER}`,
    )
    if (bundle.kind === 'refused') expect.fail(bundle.message)
    expect(bundle).toMatchObject({
      serial: 42,
      issued: new Date('2026-11-20T10:00:00Z'),
      expires: new Date('2026-12-20T09:00:00Z'),
    })
    expect(renderCaKeys(bundle.keys)).toBe(`${KEY} new one\n${OTHER}\n`)
  })

  test('with an RSA key under 3072 bits, and warned about', () => {
    expect(parse(newKeyLine('rsa', 2048))).toMatchObject({
      keys: [{ warning: expect.stringContaining('2048') }],
    })
  })

  test('with 16 keys', () => {
    const lines = Array.from({ length: 16 }, () => newKeyLine('ed25519'))
    expect(parse(lines.join('\n'))).toMatchObject({ kind: 'bundle', keys: { length: 16 } })
  })

  test('with a signature, which is kept with the bytes that it signs', () => {
    const signed = `# serial: 1\n${KEY}\n`
    const armor = '-----BEGIN SSH SIGNATURE-----\nAAAA\n-----END SSH SIGNATURE-----\n'
    const bundle = parse(signed + armor)
    if (bundle.kind === 'refused') expect.fail(bundle.message)
    expect(bundle.signature?.armor).toBe(armor)
    expect(Buffer.from(bundle.signature?.signed ?? '').toString()).toBe(signed)
  })
})

describe('a bundle is refused, with code and line', () => {
  test.each(REFUSED_FORMS)('for $what: $code', ({ code, line, text }) => {
    const refused = parse(text)
    expect(refused).toMatchObject({ kind: 'refused', code })
    expect((refused as { line?: number }).line).toBe(line)
  })

  test('and no message holds what stood there', () => {
    for (const { text } of REFUSED_FORMS) {
      const refused = parse(text)
      if (refused.kind !== 'refused') expect.fail('accepted')
      const secrets = text.toString().match(/[A-Za-z0-9+/]{20,}/g) ?? []
      for (const secret of secrets) expect(refused.message).not.toContain(secret)
    }
  })
})
