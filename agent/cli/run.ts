import { setTimeout as sleep } from 'node:timers/promises'
import { layoutOf } from '../core/layout.ts'
import type { Source } from '../core/source.ts'
import { serveWhileAwake } from '../daemon/awake.ts'
import { runCycle } from '../daemon/cycle.ts'
import { createDaemon, keepPolling } from '../daemon/daemon.ts'
import { openNotebook } from '../daemon/notebook.ts'
import { askProvisioner } from '../daemon/provisioner-client.ts'
import { readSecret } from '../daemon/read-secrets.ts'
import { trustedBy } from '../daemon/report.ts'
import { fetchBundle } from '../daemon/source/fetch-bundle.ts'
import { parseHostFlags } from './flags.ts'
import type { Invocation } from './invocation.ts'
import { listenDescriptor } from './listen-descriptor.ts'
import { loadConfig, withSourceUrl } from './load-config.ts'
import { logEnd, openLog } from './log.ts'
import type { Running } from './running.ts'
import { listen } from './webhook.ts'

/** How long to stay awake behind the last webhook: a rotation is two publications. */
const IDLE_MS = 60_000

/**
 * The network wing. Under systemd it is woken, looks, serves what comes while it is awake and leaves;
 * `--resident` is the same that stays, with a clock and a watch of its own.
 */
export async function run(invocation: Invocation): Promise<number> {
  const resident = invocation.args.includes('--resident')
  const flags = parseHostFlags(invocation.args.filter(arg => arg !== '--resident'))
  const loaded = loadConfig(flags, invocation)
  const config = { ...loaded, source: withSourceUrl(loaded, flags) }
  const layout = layoutOf(config.sshd)
  const log = await openLog()
  const stop = new AbortController()
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stop.abort())
  const { signal } = stop
  const notebook = openNotebook(layout.daemonFolder.path)
  const parts = { config, layout, notebook, log, signal, invocation }
  const running: Running = { ...parts, daemon: assemble(parts) }
  if (resident) return stay(running)
  return config.webhook.listen === undefined ? lookOnce(running) : serve(running)
}

async function lookOnce({ daemon }: Running): Promise<number> {
  try {
    await daemon.hint('start')
    return 0
  } catch {
    // Told by `onError`; systemd keeps that this run failed, and the timer comes again.
    return 1
  }
}

async function serve(running: Running): Promise<number> {
  const { daemon, signal, notebook, config, layout } = running
  const descriptor = listenDescriptor(running.invocation.environment, process.pid)
  const listener = await listen(running, descriptor)
  const pollMs = config.source.pollIntervalSeconds * 1000
  const isDue = () => {
    const { lastPoll } = notebook.read()
    // Nothing reported since boot: the look that boot is due.
    if (lastPoll === undefined || trustedBy(layout.statusFile.path).length === 0) return true
    return Date.now() - Date.parse(lastPoll.at) >= pollMs
  }
  await serveWhileAwake(
    {
      daemon,
      connected: listener.busy,
      lastAnswer: listener.lastAnswer,
      isDue,
      now: Date.now,
      sleep: ms => nap(ms, signal),
      signal,
    },
    IDLE_MS,
  )
  await listener.close()
  await daemon.settled()
  return 0
}

async function stay(running: Running): Promise<number> {
  const { daemon, config, layout, log, signal } = running
  const { watchFolders } = await import('../daemon/watch-folders.ts')
  const listener = config.webhook.listen === undefined ? undefined : await listen(running)
  const watch = watchFolders(
    [layout.caFolder.path, layout.dropInFolder.path, '/etc/ssh/sshd_config'],
    () => void daemon.hint('drift').catch(() => {}),
    code => log.warn({ code }, 'no watch on the files; looking at the clock instead'),
  )
  await keepPolling(daemon, {
    pollMs: config.source.pollIntervalSeconds * 1000,
    random: Math.random,
    signal,
    sleep: ms => nap(ms, signal),
  })
  await watch.close()
  await listener?.close()
  await daemon.settled()
  return 0
}

/** Sleeps, or is told to stop. */
async function nap(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => {})
}

function assemble({ config, layout, notebook, log, signal, invocation }: Omit<Running, 'daemon'>) {
  const { environment, version } = invocation
  const credentials = environment.CREDENTIALS_DIRECTORY
  const ask = (request: Parameters<typeof askProvisioner>[1]) =>
    askProvisioner(layout.socket.path, request)
  const fetch = (etag: string | undefined) => {
    const known = etag === undefined ? {} : { etag }
    const source = readSource(config.source, credentials)
    return fetchBundle(source, { ...known, environment, version, signal })
  }
  const trusted = () => trustedBy(layout.statusFile.path)
  return createDaemon({
    cycle: hinted => runCycle({ fetch, ask, trusted, notebook, now: () => new Date() }, hinted),
    async repair() {
      const reply = await ask({ op: 'repair' })
      if (reply.kind !== 'outcome') throw new Error(`the provisioner: ${reply.message}`)
      return { outcome: reply.outcome, quiet: reply.outcome.outcome === 'unchanged' }
    },
    onEnd: (end, hint) => logEnd(log, end, hint),
    onError: error => log.error({ err: error }, 'the cycle failed'),
  })
}

// Read anew for each fetch: a token may be rotated too.
function readSource(source: Running['config']['source'], credentials: string | undefined): Source {
  const read = (path: string) => readSecret(path, credentials, given => given)
  return {
    url: source.url.href,
    ...(source.tokenFile === undefined ? {} : { token: read(source.tokenFile) }),
    ...(source.caFile === undefined ? {} : { extraRoots: read(source.caFile) }),
    ...(source.jsonPointer === undefined ? {} : { jsonPointer: source.jsonPointer }),
  }
}
