import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { SettingFileError } from '../../core/config/setting-file-error.ts'

/** What is wrong with the certificate or the key of the webhook's listener. */
export type WebhookTlsCode = 'no-certificate' | 'no-key' | 'encrypted-key' | 'mismatch'

/** A file as the config names it, with what it holds. */
export interface NamedText {
  path: string
  text: string
}

/**
 * The pair in PEM, once it is seen to be one: a certificate (the chain may follow it) and its own
 * private key. Throws SettingFileError. A module to load where TLS is configured.
 */
export function checkTlsPair(cert: NamedText, key: NamedText): { cert: string; key: string } {
  if (!readKey(key).check(readCertificate(cert))) {
    throw new SettingFileError<WebhookTlsCode>(
      'webhook.tls_key_file',
      'mismatch',
      `${key.path} is not the key of the certificate in ${cert.path}; give the two that were made together`,
    )
  }
  return { cert: cert.text, key: key.text }
}

function readCertificate({ path, text }: NamedText): X509Certificate {
  try {
    if (text.includes('-----BEGIN CERTIFICATE-----')) return new X509Certificate(text)
  } catch {
    // What OpenSSL says of it helps nobody.
  }
  throw new SettingFileError<WebhookTlsCode>(
    'webhook.tls_cert_file',
    'no-certificate',
    `${path} holds no certificate; give one in PEM, the host's own first`,
  )
}

function readKey({ path, text }: NamedText): { check(cert: X509Certificate): boolean } {
  if (/ENCRYPTED/.test(text)) {
    throw new SettingFileError<WebhookTlsCode>(
      'webhook.tls_key_file',
      'encrypted-key',
      `${path} needs a passphrase, which nobody is there to give; store it without (openssl pkey)`,
    )
  }
  let key: KeyObject
  try {
    key = createPrivateKey(text)
  } catch {
    // Not kept as the cause: an error of a parser may quote what it reads.
    throw new SettingFileError<WebhookTlsCode>(
      'webhook.tls_key_file',
      'no-key',
      `${path} holds no private key; give one in PEM`,
    )
  }
  return { check: cert => cert.checkPrivateKey(key) }
}
