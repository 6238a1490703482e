import { SettingFileError } from './setting-file-error.ts'

/** What is wrong with a line of the secret file; the line itself is never quoted. */
export type WebhookSecretCode = 'no-secret' | 'no-prefix' | 'not-base64' | 'wrong-length'

const MESSAGES: Record<WebhookSecretCode, string> = {
  'no-secret': 'holds no secret',
  'no-prefix': 'a webhook secret starts with "whsec_"',
  'not-base64': 'what follows "whsec_" is not base64',
  'wrong-length':
    'a webhook secret is 24 to 64 bytes in base64, as `openssl rand -base64 32` makes it',
}

function unusable(code: WebhookSecretCode, line?: number): SettingFileError<WebhookSecretCode> {
  return new SettingFileError('webhook.secret_file', code, MESSAGES[code], line)
}

/**
 * The secrets of a secret file, one on each line: while a secret is changed, the old and the new one
 * hold. Blank lines and `#` comments are skipped. The form and the length of a secret are those of
 * Standard Webhooks 1.0.0, "Signature scheme"; a short one could be guessed from one captured request.
 * Throws SettingFileError.
 */
export function parseWebhookSecrets(text: string): string[] {
  const secrets = text.split('\n').flatMap((raw, index) => {
    const secret = raw.trim()
    if (secret === '' || secret.startsWith('#')) return []
    const code = checkSecret(secret)
    if (code !== undefined) throw unusable(code, index + 1)
    return [secret]
  })
  if (secrets.length === 0) throw unusable('no-secret')
  return secrets
}

function checkSecret(secret: string): WebhookSecretCode | undefined {
  if (!secret.startsWith('whsec_')) return 'no-prefix'
  const base64 = secret.slice('whsec_'.length)
  const key = Buffer.from(base64, 'base64')
  if (key.toString('base64') !== base64) return 'not-base64'
  return key.length < 24 || key.length > 64 ? 'wrong-length' : undefined
}
