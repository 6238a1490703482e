import { expect, test } from 'vitest'
import { parseBundle } from '../../../agent/core/bundle/bundle.ts'
import { type BeginOptions, begin } from '../../../agent/publisher/rotate/begin.ts'
import { FIRST, OTHER } from '../serve/with-server.ts'
import { NEW, OLD } from './world.ts'

const beginning = (published: string, options: Partial<BeginOptions> = {}) =>
  begin({
    order: 'planned',
    published: Buffer.from(published),
    newKeys: [NEW],
    hosts: ['a'],
    now: new Date('2026-11-20T10:00:00Z'),
    ...options,
  })

test('two editions that follow the published one, with its span of life', async () => {
  const begun = await beginning(
    `# serial: 41\n# issued: 2026-10-01T00:00:00Z\n# expires: 2026-10-31T00:00:00Z\n${FIRST}\n`,
  )
  if (begun.kind !== 'begun') throw new Error(begun.kind)
  const { both, new: next } = begun.rotation.editions
  expect([both?.serial, next.serial]).toEqual([42, 43])
  expect(both?.fingerprints).toEqual([OLD.fingerprint, NEW.fingerprint])
  expect(parseBundle(Buffer.from(next.text))).toMatchObject({
    serial: 43,
    issued: new Date('2026-11-20T10:00:00Z'),
    expires: new Date('2026-12-20T10:00:00Z'),
    keys: [{ fingerprint: NEW.fingerprint }],
  })
})

test('the new key may be published already; serials begin at 1', async () => {
  const begun = await beginning(`${FIRST}\n${OTHER}\n`)
  expect(begun).toMatchObject({
    rotation: { editions: { both: { serial: 1 }, new: { serial: 2 } } },
  })
})

test('compromised: one edition', async () => {
  const begun = await beginning(`# serial: 41\n${FIRST}\n`, { order: 'compromised' })
  expect(begun).toMatchObject({
    rotation: { step: 'publish-new', editions: { new: { serial: 42 } } },
  })
  expect(begun).not.toHaveProperty('rotation.editions.both')
})

test('both are signed at the beginning, once', async () => {
  const sign = async (text: string) => ({ kind: 'signed' as const, text: `${text}signed\n` })
  const begun = await beginning(`${FIRST}\n`, { sign })
  expect(begun).toMatchObject({
    rotation: { editions: { new: { text: expect.stringMatching(/\nsigned\n$/) } } },
  })
})

test.each([
  ['no other key', `${OTHER}\n`, 'no key but the new one'],
  [
    'a signed one, and nobody to sign',
    `${FIRST}\n-----BEGIN SSH SIGNATURE-----\nAA==\n-----END SSH SIGNATURE-----\n`,
    '--sign-key',
  ],
])('%s is a problem', async (_, published, told) => {
  expect(await beginning(published)).toMatchObject({
    kind: 'problem',
    message: expect.stringContaining(told),
  })
})

test('what is published now is judged by the parser that hosts use', async () => {
  expect(await beginning('nothing\n')).toMatchObject({
    kind: 'refused',
    what: 'published',
    line: 1,
  })
})
