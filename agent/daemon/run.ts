import { setTimeout as sleep } from 'node:timers/promises'
import { AgentError } from '../core/basics/agent-error.ts'
import { layoutOf } from '../core/config/layout.ts'
import { listenDescriptor } from '../core/network/listen-descriptor.ts'
import { EXIT } from '../core/outcome/exit-codes.ts'
import { askedToWait } from '../core/report/poll-record.ts'
import { type CycleOwner, lockCycle } from './cycle/cycle-lock.ts'
import { hintedCycles } from './cycle/hinted-cycles.ts'
import { openPollRecord } from './cycle/poll-record-file.ts'
import { askProvisioner, wakeProvisioner } from './cycle/provisioner-client.ts'
import { trustedBy } from './cycle/read-status-file.ts'
import { runCycle } from './cycle/run-cycle.ts'
import { fetchSource } from './fetch-source.ts'
import { listenForWebhooks } from './listen-for-webhooks.ts'
import type { Given, Running } from './running.ts'
import { serveUntilIdle } from './serve-until-idle.ts'

/** How long to stay awake behind the last webhook: a rotation is two publications. */
const IDLE_MS = 60_000

/**
 * The network wing: looks at the source once (`poll`), answers webhooks until none has come for a while
 * (`webhook`, on the socket that systemd hands over), or stays and does both (`resident`). Returns the exit
 * code; rejects with `usage` where it can't begin.
 */
export async function runDaemon(
  as: 'poll' | 'webhook' | 'resident',
  given: Given,
): Promise<number> {
  const running = assemble(given, as === 'poll' ? 'poll' : 'webhook')
  if (as === 'resident') {
    const { stayResident } = await import('./resident.ts')
    return stayResident(running)
  }
  if (given.config.source.longPoll)
    given.log.warn('source.long_poll does nothing here: it needs run --resident')
  return as === 'webhook' ? serve(running) : lookOnce(running)
}

async function lookOnce({ daemon, pollRecord, log, signal }: Running): Promise<number> {
  const wait = askedToWait(pollRecord.read(), new Date())
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
  const { daemon, signal, config, sleep } = running
  const descriptor = listenDescriptor(running.environment, process.pid)
  if (descriptor === undefined || config.webhook.listen === undefined) {
    throw new AgentError(
      'usage',
      'run --webhook is for systemd to start, with the socket that it holds',
    )
  }
  const listener = await listenForWebhooks(running, descriptor)
  await serveUntilIdle(
    {
      isBusy: daemon.isBusy,
      connected: listener.busy,
      lastAnswer: listener.lastAnswer,
      now: Date.now,
      sleep,
      signal,
    },
    IDLE_MS,
  )
  await listener.close()
  await daemon.settled()
  return EXIT.converged
}

function assemble(given: Given, owner: CycleOwner): Running {
  const { config, log, signal } = given
  const layout = layoutOf(config.sshd)
  const pollRecord = openPollRecord(layout.pollRecord.path)
  const ask = (request: Parameters<typeof askProvisioner>[1]) =>
    askProvisioner(layout.socket.path, request)
  const fetch = (etag: string | undefined) => fetchSource(given, etag === undefined ? {} : { etag })
  const trusted = () => trustedBy(layout.statusFile.path)
  const daemon = hintedCycles({
    async cycle(hinted) {
      // A poll mostly finds nothing, and wakes nobody for it.
      if (hinted) wakeProvisioner(layout.socket.path)
      const unlock = await lockCycle(layout.daemonFolder.path, owner, signal)
      try {
        return await runCycle({ fetch, ask, trusted, pollRecord, now: () => new Date() }, hinted)
      } finally {
        unlock()
      }
    },
    async repair() {
      const reply = await ask({ op: 'repair' })
      if (reply.kind !== 'outcome') throw new Error(`the provisioner: ${reply.message}`)
      return { outcome: reply.outcome, quiet: reply.outcome.outcome === 'unchanged' }
    },
    onEnd(end, hint) {
      given.onEnd(end, hint)
      // Most polls wake nobody else, and yet the textfile is to tell of them.
      if (config.metrics.textfile !== undefined) void ask({ op: 'report' }).catch(() => {})
    },
    onError(error) {
      if (error !== signal.reason)
        log.error({ event: 'cycle-failed', err: error }, 'the cycle failed')
    },
  })
  const nap = (ms: number) => sleep(ms, undefined, { signal }).catch(() => {})
  return { ...given, layout, pollRecord, daemon, sleep: nap }
}
