import { describe, expect, test } from 'vitest'
import { mergeSettings } from '../../../agent/core/config/merge-settings.ts'
import { parseConfig } from '../../../agent/core/config/parse-config.ts'
import { SETTING_NAMES, type SettingName } from '../../../agent/core/config/settings.ts'

const URL_GIVEN = 'https://ssh-ca.example.com/bundle'
const FINGERPRINT = `SHA256:${'A'.repeat(43)}`
const merge = (text: string | undefined, wanted: Partial<Record<SettingName, string>>) =>
  mergeSettings(
    { name: 'c.yaml', text },
    new Map(Object.entries(wanted) as [SettingName, string][]),
  )
const merged = (...args: Parameters<typeof merge>) => {
  const result = merge(...args)
  if ('errors' in result) throw new Error(JSON.stringify(result.errors))
  return result.text
}

describe('settings merged into a config file', () => {
  test('a new file says what it is, and parses to what was given', () => {
    const text = merged(undefined, {
      'source.url': URL_GIVEN,
      'source.poll_interval': '1h30m',
      'trust.fingerprints': `${FINGERPRINT}, ${FINGERPRINT}`,
    })
    expect(text).toMatch(/^# pomerium-host-agent/)
    expect(text).toContain('poll_interval: 1h30m')
    expect(parseConfig({ name: 'c.yaml', text }, {})).toMatchObject({
      config: {
        source: { pollIntervalSeconds: 5400 },
        trust: { fingerprints: [FINGERPRINT, FINGERPRINT] },
      },
    })
  })

  test('what is there already comes back byte for byte', () => {
    const text = `source:   {url:   "${URL_GIVEN}",\n  poll_interval: 60m}   # odd\n\n\n# end`
    expect(merged(text, { 'source.url': URL_GIVEN, 'source.poll_interval': '1h' })).toBe(text)
    expect(merged(text, {})).toBe(text)
  })

  test.each([
    [
      'comments and order stay',
      `# mine\nsource:\n  url: https://x.example.com/ # for now\n\n# why\nsshd:\n  restart: config-change\n`,
      ['# mine\n', '# for now', '# why\n', URL_GIVEN, 'restart: config-change'],
    ],
    ['an empty section', `source:\n`, [URL_GIVEN]],
    ['a template that is not filled in', 'source:\n  url:\n', [URL_GIVEN]],
    ['a section of nothing', 'source: {}\n', [URL_GIVEN]],
    ['an empty file', '', [URL_GIVEN]],
    ['a file of comments', '# nothing yet\n', ['# nothing yet', URL_GIVEN]],
    ['another section only', 'sshd:\n  conflict: adopt\n', ['conflict: adopt', URL_GIVEN]],
  ])('%s', (_, text, parts) => {
    const result = merged(text, { 'source.url': URL_GIVEN })
    for (const part of parts) expect(result).toContain(part)
    const parsed = parseConfig({ name: 'c.yaml', text: result }, {})
    expect('config' in parsed && parsed.config.source.url?.href).toBe(URL_GIVEN)
  })

  test('a value that is none, and a file that is none, are errors with their places', () => {
    expect(merge(undefined, { 'trust.fingerprints': 'MD5:1' })).toMatchObject({
      errors: [{ where: 'trust.fingerprints' }],
    })
    expect(merge('source: [\n', {})).toMatchObject({ errors: [{ where: 'c.yaml' }] })
    expect(merge('\nsauce:\n  url: x\n', {})).toMatchObject({
      errors: [{ where: 'c.yaml', line: 2 }],
    })
  })

  test('what stays without a value is left for the parser to refuse', () => {
    const text = merged('source:\n  url:\ntrust:\n  signers_file:\n', { 'source.url': URL_GIVEN })
    expect(parseConfig({ name: 'c.yaml', text }, {})).toMatchObject({
      errors: [
        { line: 4, message: expect.stringMatching(/^trust.signers_file is written without/) },
      ],
    })
  })

  test.each(SETTING_NAMES)('nothing is no value of %s', name => {
    expect(merge(undefined, { [name]: '' })).toMatchObject({ errors: [{ where: name }] })
  })
})
