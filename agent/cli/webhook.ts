import { join } from 'node:path'
import { readSecret } from '../daemon/read-secrets.ts'
import { metricsOf } from '../daemon/report.ts'
import { openReplayMemory } from '../daemon/webhook/replay-memory.ts'
import { parseWebhookSecrets } from '../daemon/webhook/secrets.ts'
import { openWebhook, type WebhookListener } from '../daemon/webhook/webhook.ts'
import type { Running } from './running.ts'

/** A listener that remembers when it last answered a webhook. */
export type Listening = WebhookListener & { lastAnswer(): number | undefined }

/** Opens the rotation webhook's listener, on systemd's descriptor where there is one. */
export async function listen(running: Running, descriptor?: number): Promise<Listening> {
  const { config, layout, notebook, daemon, log, invocation } = running
  const { environment, version } = invocation
  const { secretFile, listen: address = '' } = config.webhook
  const secret =
    secretFile === undefined
      ? ''
      : readSecret(secretFile, environment.CREDENTIALS_DIRECTORY, path => path)
  let lastAnswer: number | undefined
  const listener = await openWebhook({
    listen: descriptor === undefined ? parseAddress(address) : { fd: descriptor },
    secrets: parseWebhookSecrets(secret),
    hint: async () => (await daemon.hint('webhook')).outcome,
    replay: openReplayMemory({ path: join(layout.daemonFolder.path, 'webhooks') }),
    async metrics() {
      const { renderMetrics } = await import('../core/metrics.ts')
      return renderMetrics(metricsOf(layout.statusFile.path, notebook.read(), version))
    },
    health: () => ({ ok: true }),
    onAnswer({ status, why, from }) {
      // Whoever is refused does not keep us awake.
      if (status < 300) lastAnswer = Date.now()
      log.debug({ status, why, from }, 'answered')
    },
    onError: error => log.error({ err: error }, 'the webhook failed'),
  })
  return { ...listener, lastAnswer: () => lastAnswer }
}

/** `address:port`, IPv6 in brackets; the config has seen to its form. */
function parseAddress(address: string): { host: string; port: number } {
  const at = address.lastIndexOf(':')
  return { host: address.slice(0, at).replace(/^\[|\]$/g, ''), port: Number(address.slice(at + 1)) }
}
