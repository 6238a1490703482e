import { limitConcurrency } from '../notify/limit-concurrency.ts'
import type { Reply } from '../notify/reply.ts'
import { statusUrl, type Target } from '../notify/targets.ts'
import type { ToldStatus } from './host-status.ts'

/** What a host answered, by its name. */
export interface Answered {
  host: string
  reply: Reply<ToldStatus>
}

export interface AskOptions {
  targets: readonly Target[]
  /** How many are asked at once. */
  concurrency: number
  ask(target: Target, url: string): Promise<Reply<ToldStatus>>
  /** Hears of every answer as it comes. */
  onAnswer(answered: Answered): void
}

/** Asks every host how it is, once; the answers come in the order of the targets. */
export async function askFleet({
  targets,
  concurrency,
  ask,
  onAnswer,
}: AskOptions): Promise<Answered[]> {
  const limited = limitConcurrency(concurrency)
  return Promise.all(
    targets.map(async target => {
      const url = statusUrl(target.url)
      const reply = url === undefined ? NO_PLACE : await limited(() => ask(target, url))
      const answered = { host: target.name, reply }
      onAnswer(answered)
      return answered
    }),
  )
}

const NO_PLACE: Reply<never> = {
  kind: 'rejected',
  code: 'no-status',
  message: 'its URL ends in another path than /webhook/rotation, and beside that nobody is asked',
}
