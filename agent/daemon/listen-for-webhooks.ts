import { join } from 'node:path'
import { AgentError } from '../core/basics/agent-error.ts'
import { optional } from '../core/basics/when-defined.ts'
import { SettingFileError } from '../core/config/setting-file-error.ts'
import { patienceMs } from '../core/config/source-silence.ts'
import { parseWebhookSecrets } from '../core/config/webhook-secrets.ts'
import { splitAddress } from '../core/network/listen-address.ts'
import { messageOf } from '../core/outcome/failures.ts'
import { metricsInput } from '../core/report/metrics-input.ts'
import { lookAtStatusFile, readStatusFile } from './cycle/read-status-file.ts'
import { readSecret } from './read-secret.ts'
import type { Running } from './running.ts'
import { seeListeners } from './see-listeners.ts'
import { limitRefusalLog } from './webhook/limit-refusal-log.ts'
import { openReplayMemory } from './webhook/replay-memory.ts'
import { openWebhook, type WebhookListener } from './webhook/webhook.ts'

/** A listener that remembers when it last answered a webhook. */
export type Listening = WebhookListener & { lastAnswer(): number | undefined }

/** Opens the webhook's listener, on systemd's descriptor where there is one. */
export async function listenForWebhooks(running: Running, descriptor?: number): Promise<Listening> {
  const { config, layout, pollRecord, daemon, log, environment, version } = running
  const { listen: address = '' } = config.webhook
  const { secrets, tls } = await configured(config.webhook, environment.CREDENTIALS_DIRECTORY)
  const pace = limitRefusalLog(join(layout.daemonFolder.path, 'refusals'))
  let lastAnswer: number | undefined
  const known = async () => {
    const { judgeListeners } = await import('../core/report/health.ts')
    const { reported } = await import('../core/report/reported.ts')
    const report = lookAtStatusFile(layout.statusFile.path)
    const ports = typeof report === 'object' ? report.ports : undefined
    const found = judgeListeners(seeListeners(ports, layout.socket.path))
    const rest = { found, patienceMs: patienceMs(config), now: new Date() }
    return reported(report, pollRecord.read(), rest)
  }
  const listener = await openWebhook({
    listen: descriptor === undefined ? splitAddress(address) : { fd: descriptor },
    secrets,
    ...optional('tls', tls),
    async hint() {
      const { outcome } = await daemon.hint('webhook')
      // A rotation keeps us awake, for it is two publications; a scrape or whoever is refused does not.
      lastAnswer = Date.now()
      return outcome
    },
    replay: openReplayMemory({ path: join(layout.daemonFolder.path, 'webhooks') }),
    async metrics() {
      const { renderMetrics } = await import('../core/report/metrics.ts')
      const status = readStatusFile(layout.statusFile.path)
      const { sshdListens } = seeListeners(status?.ports, layout.socket.path)
      return renderMetrics(
        metricsInput(status, pollRecord.read(), version, sshdListens, new Date()),
      )
    },
    async health() {
      const { healthOf } = await import('../core/report/health.ts')
      return healthOf(await known())
    },
    async status() {
      const { hostStatus } = await import('../core/report/status-answer.ts')
      return hostStatus(await known())
    },
    onAnswer({ status, why, from }) {
      const told = status === 401 ? pace() : undefined
      if (told?.tell !== true) {
        log.debug({ event: 'answer', status, why, from }, 'answered')
        return
      }
      const { untold } = told
      const fields = { event: 'webhook-refused', status, why, from }
      log.warn({ ...fields, ...(untold === 0 ? {} : { untold }) }, 'a webhook was refused')
    },
    onError: error => log.error({ event: 'webhook-failed', err: error }, 'the webhook failed'),
  })
  return { ...listener, lastAnswer: () => lastAnswer }
}

// What the files hold is configuration too: whoever wrote it is told, by setting and file.
async function configured(webhook: Running['config']['webhook'], credentials: string | undefined) {
  const { secretFile = '', tlsCertFile, tlsKeyFile } = webhook
  const read = (setting: string, path: string) => {
    try {
      return { path, text: readSecret(path, credentials, given => given) }
    } catch (error) {
      const what = `webhook.${setting}: ${path} can't be read`
      throw new AgentError(
        'usage',
        `${what} (${messageOf(error)}); see LoadCredential= in systemd.exec(5)`,
      )
    }
  }
  try {
    const secrets = parseWebhookSecrets(read('secret_file', secretFile).text)
    if (tlsCertFile === undefined || tlsKeyFile === undefined) return { secrets, tls: undefined }
    const { checkTlsPair } = await import('./webhook/tls-pair.ts')
    const [cert, key] = [read('tls_cert_file', tlsCertFile), read('tls_key_file', tlsKeyFile)]
    return { secrets, tls: checkTlsPair(cert, key) }
  } catch (error) {
    throw error instanceof SettingFileError ? new AgentError('usage', error.message) : error
  }
}
