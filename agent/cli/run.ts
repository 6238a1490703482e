import { layoutOf } from '../core/config/layout.ts'
import { listenDescriptor } from '../core/network/listen-descriptor.ts'
import { EXIT } from '../core/outcome/exit-codes.ts'
import { askedToWait } from '../core/report/poll-record.ts'
import { type Party, takeTurn } from '../daemon/cycle/cycle-lock.ts'
import { createDaemon } from '../daemon/cycle/hinted-cycles.ts'
import { openNotebook } from '../daemon/cycle/poll-record-file.ts'
import { askProvisioner, wakeProvisioner } from '../daemon/cycle/provisioner-client.ts'
import { trustedBy } from '../daemon/cycle/read-status-file.ts'
import { runCycle } from '../daemon/cycle/run-cycle.ts'
import { fetchSource } from '../daemon/fetch-source.ts'
import { listen } from '../daemon/listen-for-webhooks.ts'
import type { Running } from '../daemon/running.ts'
import { stayAwake } from '../daemon/serve-until-idle.ts'
import { loadConfig, withSourceUrl } from './host/load-config.ts'
import { pacedService } from './host/paced-service.ts'
import { nap } from './terminal/abortable-sleep.ts'
import { parseHostFlags } from './terminal/flags.ts'
import { type Invocation, UsageError } from './terminal/invocation.ts'
import { logEnd, openLog } from './terminal/log.ts'
import { stopSignal } from './terminal/stop-signal.ts'

/** How long to stay awake behind the last webhook: a rotation is two publications. */
const IDLE_MS = 60_000

/**
 * The network wing. Under systemd the timer starts it for one look, and the webhook's socket starts it with
 * `--webhook`; both leave when they have done. `--resident` is the same that stays, and does both, with a
 * clock and a watch of its own.
 */
export async function run(invocation: Invocation): Promise<number> {
  return pacedService(invocation, () => start(invocation))
}

async function start(invocation: Invocation): Promise<number> {
  const { values, rest } = ownFlags(invocation.args)
  const flags = parseHostFlags(rest)
  const loaded = loadConfig(flags, invocation)
  const config = { ...loaded, source: withSourceUrl(loaded, flags) }
  const layout = layoutOf(config.sshd)
  const log = await openLog()
  const signal = stopSignal()
  const notebook = openNotebook(layout.notes.path)
  const parts = { config, layout, notebook, log, signal, invocation }
  const party = values.resident || values.webhook ? 'webhook' : 'poll'
  const running: Running = { ...parts, daemon: assemble(parts, party) }
  if (values.resident) {
    const { stay } = await import('../daemon/resident.ts')
    return stay(running)
  }
  if (config.source.longPoll)
    log.warn('source.long_poll does nothing here: it needs run --resident')
  return values.webhook ? serve(running) : lookOnce(running)
}

function ownFlags(args: string[]) {
  const OWN = ['--resident', '--webhook']
  const rest = args.filter(arg => !OWN.includes(arg))
  const [resident, webhook] = OWN.map(flag => args.includes(flag))
  if (resident && webhook) throw new UsageError('--resident hears the webhook already')
  return { values: { resident, webhook }, rest }
}

async function lookOnce({ daemon, notebook, log, signal }: Running): Promise<number> {
  const wait = askedToWait(notebook.read(), new Date())
  if (wait !== undefined) {
    log.info({ event: 'put-off', until: wait }, 'the source asked to be left alone until then')
    return EXIT.converged
  }
  try {
    await daemon.hint('start')
    return EXIT.converged
  } catch {
    // Told by `onError`; systemd keeps that this run failed, and the timer comes again.
    return signal.aborted ? EXIT.converged : EXIT.bug
  }
}

async function serve(running: Running): Promise<number> {
  const { daemon, signal, config } = running
  const descriptor = listenDescriptor(running.invocation.environment, process.pid)
  if (descriptor === undefined || config.webhook.listen === undefined) {
    throw new UsageError('run --webhook is for systemd to start, with the socket that it holds')
  }
  const listener = await listen(running, descriptor)
  await stayAwake(
    {
      isBusy: daemon.isBusy,
      connected: listener.busy,
      lastAnswer: listener.lastAnswer,
      now: Date.now,
      sleep: ms => nap(ms, signal),
      signal,
    },
    IDLE_MS,
  )
  await listener.close()
  await daemon.settled()
  return EXIT.converged
}

function assemble(
  { config, layout, notebook, log, signal, invocation }: Omit<Running, 'daemon'>,
  party: Party,
) {
  const ask = (request: Parameters<typeof askProvisioner>[1]) =>
    askProvisioner(layout.socket.path, request)
  const fetch = (etag: string | undefined) =>
    fetchSource({ config, invocation, signal }, etag === undefined ? {} : { etag })
  const trusted = () => trustedBy(layout.statusFile.path)
  return createDaemon({
    async cycle(hinted) {
      // A poll mostly finds nothing, and wakes nobody for it.
      if (hinted) wakeProvisioner(layout.socket.path)
      const leave = await takeTurn(layout.daemonFolder.path, party, signal)
      try {
        return await runCycle({ fetch, ask, trusted, notebook, now: () => new Date() }, hinted)
      } finally {
        leave()
      }
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
