import { judgeReply, type Standing, type Wanted } from './judge.ts'
import { type Limited, limitConcurrency } from './limit-concurrency.ts'
import { pauseMs } from './pause.ts'
import type { Reply } from './reply.ts'

/** Where a host stands, by its name. */
export interface HostReport extends Standing {
  host: string
  attempts: number
}

export interface NotifyOptions<T extends { name: string }> {
  targets: readonly T[]
  /** What they shall come to; without, any cycle that ended well will do. */
  wanted?: Wanted
  /** How many are asked at once. */
  concurrency: number
  /** For all of it, in milliseconds. */
  timeoutMs: number
  /** Sends one webhook: the target, and which attempt it is, from 1. */
  send(target: T, attempt: number): Promise<Reply>
  /** Hears of every standing as it comes. */
  onReport(report: HostReport): void
  /** Milliseconds since any point. */
  now(): number
  random(): number
  /** Resolves after so many milliseconds, or at once when the signal is aborted. */
  sleep(ms: number): Promise<void>
  signal: AbortSignal
}

/**
 * Tells every host that there is something new, and asks again until each has converged, said no, or
 * time is up. Only requests count as asked at once: who pauses holds up nobody. Reports come in the
 * order of the targets.
 */
export async function notify<T extends { name: string }>(
  options: NotifyOptions<T>,
): Promise<HostReport[]> {
  const deadline = options.now() + options.timeoutMs
  const limited = limitConcurrency(options.concurrency)
  return Promise.all(options.targets.map(target => tell(target, options, deadline, limited)))
}

async function tell<T extends { name: string }>(
  target: T,
  { send, wanted, onReport, now, random, sleep, signal }: NotifyOptions<T>,
  deadline: number,
  limited: Limited,
): Promise<HostReport> {
  for (let attempt = 1; ; attempt += 1) {
    const reply = await limited(() => send(target, attempt))
    const standing = judgeReply(reply, wanted)
    const report = { host: target.name, ...standing, attempts: attempt }
    onReport(report)
    if (standing.state === 'converged' || standing.state === 'failed') return report
    const pause = pauseMs(standing.state, attempt, random(), standing.retryAfterMs)
    if (signal.aborted || now() + pause >= deadline) return report
    await sleep(pause)
    if (signal.aborted) return report
  }
}
