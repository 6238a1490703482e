// An installed host whose rotation webhook listens, and somebody who knows its secret.

import { randomBytes, randomUUID } from 'node:crypto'
import { Webhook } from 'standardwebhooks'
import type { TestTls } from '../../control-plane/test-tls.ts'
import type { HostOptions } from '../harness/host.ts'
import type { AgentHost } from './agent-host.ts'
import { bootInstalledHost, OUR_UNITS } from './installed-host.ts'

export const SECRET_FILE = '/etc/pomerium/credentials/webhook-secret'
const LISTEN = '127.0.0.1:9444'
const CONFIG = `webhook:\n  listen: ${LISTEN}\n  secret_file: ${SECRET_FILE}\n`
// What the installer writes beside the units where a webhook is configured.
const CREDENTIAL = `[Service]\nLoadCredential=webhook-secret:${SECRET_FILE}\n`
const [TLS_CERT, TLS_KEY] = ['cert.pem', 'key.pem'].map(
  name => `/etc/pomerium/credentials/webhook-${name}`,
) as [string, string]
const TLS_CA = '/etc/pomerium/webhook-ca.pem'
const TLS_CONFIG = `  tls_cert_file: ${TLS_CERT}\n  tls_key_file: ${TLS_KEY}\n`
const TLS_CREDENTIALS = `LoadCredential=webhook-cert.pem:${TLS_CERT}\nLoadCredential=webhook-key.pem:${TLS_KEY}\n`
const SOCKET = `[Socket]\nListenStream=\nListenStream=${LISTEN}\n`

export interface Answer {
  status: number
  body: string
  /** From the connection to the last byte, in milliseconds. */
  ms: number
}

export interface WebhookHost extends AgentHost {
  secret: string
  /** Sends a rotation webhook, signed as it should be or with the headers given. */
  rotate(headers?: Record<string, string>): Promise<Answer>
  /** The headers of a webhook as Standard Webhooks wants them. */
  sign(body: string, at?: Date, secret?: string): Record<string, string>
}

/** The headers of a webhook as Standard Webhooks wants them. */
export function signWebhook(body: string, secret: string, at = new Date()): Record<string, string> {
  const id = `msg_${randomUUID()}`
  const signature = new Webhook(secret).sign(id, at, body)
  const timestamp = String(Math.floor(at.getTime() / 1000))
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signature }
}

/** With `tls`, the webhook is served over it. */
export async function bootWebhookHost(
  options: HostOptions & { tls?: TestTls; productLayer?: string; config?: string },
): Promise<WebhookHost> {
  const { tls } = options
  const secret = `whsec_${randomBytes(32).toString('base64')}`
  const it = await bootInstalledHost({
    ...options,
    config: CONFIG + (tls === undefined ? '' : TLS_CONFIG) + (options.config ?? ''),
    units: [...OUR_UNITS, 'pomerium-host-agent-webhook.socket'],
    prepare: async files => {
      const units = '/etc/systemd/system'
      await files.write(SECRET_FILE, `${secret}\n`, { mode: 0o600 })
      const credentials = CREDENTIAL + (tls === undefined ? '' : TLS_CREDENTIALS)
      await files.write(
        `${units}/pomerium-host-agent-webhook.service.d/credentials.conf`,
        credentials,
      )
      if (tls !== undefined) {
        await files.write(TLS_CERT, tls.cert, { mode: 0o600 })
        await files.write(TLS_KEY, tls.key, { mode: 0o600 })
        await files.write(TLS_CA, tls.ca)
      }
      await files.write(`${units}/pomerium-host-agent-webhook.socket.d/listen.conf`, SOCKET)
      await options.prepare?.(files)
    },
  })
  const sign: WebhookHost['sign'] = (body, at, by = secret) => signWebhook(body, by, at)
  return {
    ...it,
    secret,
    sign,
    async rotate(headers = sign('{}')) {
      const flags = Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`])
      const out = ['-s', '-w', '\n%{http_code} %{time_total}', '-d', '{}']
      const url = `http${tls === undefined ? '' : 's'}://${LISTEN}/webhook/rotation`
      const roots = tls === undefined ? [] : ['--cacert', TLS_CA]
      const { stdout } = await it.host.exec(['curl', ...out, ...roots, ...flags, url])
      const [last = '', ...body] = stdout.split('\n').reverse()
      const [status, seconds] = last.split(' ').map(Number)
      return { status: status ?? 0, body: body.reverse().join('\n'), ms: (seconds ?? 0) * 1000 }
    },
  }
}
