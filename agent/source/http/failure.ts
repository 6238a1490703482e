import type { Fetched, SourceFailureCode } from '../../core/protocol/source.ts'

export type Unavailable = Extract<Fetched, { kind: 'unavailable' }>
export type Refused = Extract<Fetched, { kind: 'refused' }>

/** One sentence on what happened, one on what to do; neither may hold a secret or bytes of a reply. */
export function unavailable(code: SourceFailureCode, what: string, remedy: string): Unavailable {
  return { kind: 'unavailable', code, message: `${what}. ${remedy}.` }
}

export function refused(code: Refused['code'], what: string, remedy: string): Refused {
  return { kind: 'refused', code, message: `${what}. ${remedy}.` }
}

export function timeout(shown: string): Unavailable {
  return unavailable(
    'timeout',
    `${shown} took too long to answer`,
    'Check the network between, and the load on the source',
  )
}
