/** What is wrong with a line of the secret file; the line itself is never quoted. */
export type WebhookSecretCode = 'no-secret' | 'no-prefix' | 'not-base64' | 'wrong-length'

const MESSAGES: Record<WebhookSecretCode, string> = {
  'no-secret': 'holds no secret',
  'no-prefix': 'a webhook secret starts with "whsec_"',
  'not-base64': 'what follows "whsec_" is not base64',
  'wrong-length':
    'a webhook secret is 24 to 64 bytes in base64, as `openssl rand -base64 32` makes it',
}

/** A file of webhook secrets can’t be used; `problem` is for whoever calls it by another name. */
export class WebhookSecretError extends Error {
  override name = 'WebhookSecretError'
  readonly code: WebhookSecretCode
  readonly problem: string
  readonly line?: number

  constructor(code: WebhookSecretCode, line?: number) {
    super(`webhook.secret_file${line === undefined ? '' : `, line ${line}`}: ${MESSAGES[code]}`)
    this.code = code
    this.problem = MESSAGES[code]
    if (line !== undefined) this.line = line
  }
}

/**
 * The secrets of a secret file, one on each line: while a secret is changed, the old and the new one
 * hold. Blank lines and `#` comments are skipped. The form and the length of a secret are those of
 * Standard Webhooks 1.0.0, "Signature scheme"; a short one could be guessed from one captured request.
 * Throws WebhookSecretError.
 */
export function parseWebhookSecrets(text: string): string[] {
  const secrets = text.split('\n').flatMap((raw, index) => {
    const secret = raw.trim()
    if (secret === '' || secret.startsWith('#')) return []
    const code = checkSecret(secret)
    if (code !== undefined) throw new WebhookSecretError(code, index + 1)
    return [secret]
  })
  if (secrets.length === 0) throw new WebhookSecretError('no-secret')
  return secrets
}

function checkSecret(secret: string): WebhookSecretCode | undefined {
  if (!secret.startsWith('whsec_')) return 'no-prefix'
  const base64 = secret.slice('whsec_'.length)
  const key = Buffer.from(base64, 'base64')
  if (key.toString('base64') !== base64) return 'not-base64'
  return key.length < 24 || key.length > 64 ? 'wrong-length' : undefined
}
