import { layoutOf } from '../core/layout.ts'
import { serveWhileAwake } from '../daemon/awake.ts'
import { runCycle } from '../daemon/cycle.ts'
import { createDaemon } from '../daemon/daemon.ts'
import { openNotebook } from '../daemon/notebook.ts'
import { askProvisioner, wakeProvisioner } from '../daemon/provisioner-client.ts'
import { trustedBy } from '../daemon/report.ts'
import { fetchSource } from './fetch-source.ts'
import { parseHostFlags } from './flags.ts'
import type { Invocation } from './invocation.ts'
import { listenDescriptor } from './listen-descriptor.ts'
import { loadConfig, withSourceUrl } from './load-config.ts'
import { logEnd, openLog } from './log.ts'
import { nap } from './nap.ts'
import type { Running } from './running.ts'
import { stopSignal } from './stop-signal.ts'
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
  const signal = stopSignal()
  const notebook = openNotebook(layout.notes.path)
  const parts = { config, layout, notebook, log, signal, invocation }
  const running: Running = { ...parts, daemon: assemble(parts) }
  if (resident) {
    const { stay } = await import('./stay.ts')
    return stay(running)
  }
  if (config.source.longPoll)
    log.warn('source.long_poll does nothing here: it needs run --resident')
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

function assemble({ config, layout, notebook, log, signal, invocation }: Omit<Running, 'daemon'>) {
  const ask = (request: Parameters<typeof askProvisioner>[1]) =>
    askProvisioner(layout.socket.path, request)
  const fetch = (etag: string | undefined) =>
    fetchSource({ config, invocation, signal }, etag === undefined ? {} : { etag })
  const trusted = () => trustedBy(layout.statusFile.path)
  return createDaemon({
    cycle(hinted) {
      // A poll mostly finds nothing, and wakes nobody for it.
      if (hinted) wakeProvisioner(layout.socket.path)
      return runCycle({ fetch, ask, trusted, notebook, now: () => new Date() }, hinted)
    },
    async repair() {
      const reply = await ask({ op: 'repair' })
      if (reply.kind !== 'outcome') throw new Error(`the provisioner: ${reply.message}`)
      return { outcome: reply.outcome, quiet: reply.outcome.outcome === 'unchanged' }
    },
    onEnd(end, hint) {
      logEnd(log, end, hint)
      // Most polls wake nobody else, and yet the textfile is to tell of them.
      if (config.metrics.textfile !== undefined) void ask({ op: 'report' }).catch(() => {})
    },
    onError(error) {
      if (error !== signal.reason)
        log.error({ event: 'cycle-failed', err: error }, 'the cycle failed')
    },
  })
}
