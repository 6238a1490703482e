import { type HostOutcome, readOutcome } from './read-outcome.ts'

export type Named = readonly [code: string, message: string]

/** What is asked of a host, and how its answer is read. */
export interface Question<T> {
  /** The `type` of the body, by which a host knows what the signature is for; it is its path's name too. */
  type: 'rotation' | 'status'
  /** `undefined` where it is no answer to this. */
  read(text: string): T | undefined
  /** What it means that there is no such path (404). */
  absent: Named
}

/** There is something new: have a look, and say what you trust then. */
export const ROTATION: Question<HostOutcome> = {
  type: 'rotation',
  read: readOutcome,
  absent: ['no-webhook', 'it has no rotation webhook: webhook.secret_file is not set there'],
}
