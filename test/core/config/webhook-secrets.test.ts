import { expect, test } from 'vitest'
import { SettingFileError } from '../../../agent/core/config/setting-file-error.ts'
import {
  parseWebhookSecrets,
  type WebhookSecretCode,
} from '../../../agent/core/config/webhook-secrets.ts'

const of = (bytes: number) => `whsec_${Buffer.alloc(bytes, 7).toString('base64')}`

test('reads one secret a line, blanks and comments aside', () => {
  expect(parseWebhookSecrets(of(24))).toEqual([of(24)])
  expect(parseWebhookSecrets(`# old\n${of(32)}\r\n\n # new\n ${of(64)}\n`)).toEqual([
    of(32),
    of(64),
  ])
})

test.each<[string, WebhookSecretCode, number | undefined]>([
  ['', 'no-secret', undefined],
  ['# nothing\n', 'no-secret', undefined],
  [`${of(32)}\nMfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw`, 'no-prefix', 2],
  ['whsk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'no-prefix', 1],
  ['whsec_MfKQ9r8GKYqrTwjU-PD8ILPZIo2LaLaSw', 'not-base64', 1],
  ['whsec_', 'wrong-length', 1],
  [of(23), 'wrong-length', 1],
  [of(65), 'wrong-length', 1],
])('refuses %j as %s, and does not quote it', (file, code, line) => {
  let error: unknown
  try {
    parseWebhookSecrets(file)
  } catch (thrown) {
    error = thrown
  }
  expect(error).toBeInstanceOf(SettingFileError)
  expect(error).toMatchObject({ code, ...(line === undefined ? {} : { line }) })
  expect(`${error}`).not.toMatch(/MfKQ|BwcHBwcH/)
})
