import type { TrustedKey } from '../../core/outcome/outcome.ts'

/** The two orders. A compromised CA goes first and what it breaks is borne; else nothing breaks. */
export const ORDERS = {
  planned: [
    'publish-both',
    'confirm-both',
    'switch-pomerium',
    'prove-login',
    'publish-new',
    'confirm-new',
    'done',
  ],
  compromised: [
    'publish-new',
    'spread-new',
    'switch-pomerium',
    'prove-login',
    'confirm-new',
    'done',
  ],
} as const

export type Order = keyof typeof ORDERS
export type StepName = (typeof ORDERS)[Order][number]

/** A bundle as it will be served, whole, with what hosts shall say of it. */
export interface Edition {
  text: string
  serial: number
  fingerprints: string[]
}

/** A rotation, and how far it has come. All that is needed to go on stands in it. */
export interface Rotation {
  order: Order
  step: StepName
  /** Made before anything is published: the same serial must be the same bytes, also after a kill. */
  editions: { both?: Edition; new: Edition }
  /** The fingerprints of the keys that nobody shall trust in the end. */
  old: string[]
  /** SHA-256 of what was published before, hex. */
  before: string
  /** As the operator listed them. */
  hosts: string[]
  confirmed: { both: string[]; new: string[] }
  /** What hosts that have confirmed the new key trust beside it. */
  beside: { host: string; trusted: TrustedKey[] }[]
  /** Hosts without which the operator has Pomerium switched. */
  leftBehind: string[]
  history: { at: string; what: string }[]
}

/** What is to be done next. */
export type Action =
  | { do: 'publish'; edition: Edition; instead: string[] }
  /** `needed`: go on only when none is missing. */
  | { do: 'confirm'; phase: 'both' | 'new'; edition: Edition; needed: boolean }
  | { do: 'switch' }
  | { do: 'prove' }
  | { do: 'nothing' }

/** What has happened; each takes the rotation further, or adds to it. */
export type Happening =
  | { what: 'published' }
  | { what: 'host-confirmed'; phase: 'both' | 'new'; host: string; trusted: readonly TrustedKey[] }
  | { what: 'all-asked' }
  | { what: 'switched' }
  | { what: 'proved'; how: 'command' | 'operator' }
  | { what: 'left-behind'; hosts: readonly string[] }

export function nextAction(rotation: Rotation): Action {
  const { step, editions, before } = rotation
  const both = editionOf(rotation, 'both')
  const confirm = (phase: 'both' | 'new', needed: boolean): Action => {
    return { do: 'confirm', phase, edition: editionOf(rotation, phase), needed }
  }
  switch (step) {
    case 'publish-both':
      return { do: 'publish', edition: both, instead: [before] }
    case 'confirm-both':
      return confirm('both', true)
    case 'switch-pomerium':
      return { do: 'switch' }
    case 'prove-login':
      return { do: 'prove' }
    case 'publish-new': {
      // What may be there: the step before this one, and nothing that somebody else has published.
      const instead = rotation.order === 'planned' ? both.text : undefined
      return { do: 'publish', edition: editions.new, instead: [instead ?? before] }
    }
    case 'spread-new':
      return confirm('new', false)
    case 'confirm-new':
      return confirm('new', true)
    case 'done':
      return { do: 'nothing' }
  }
}

/**
 * The hosts that have not said that they hold an edition. To be left behind is to be gone on without,
 * and no more: who is left behind still trusts the old key, and that is done when nobody does.
 */
export function missing({ hosts, confirmed, leftBehind }: Rotation, phase: 'both' | 'new') {
  const isExcused = (host: string) => phase === 'both' && leftBehind.includes(host)
  return hosts.filter(host => !confirmed[phase].includes(host) && !isExcused(host))
}

/**
 * The rotation after something has happened. Throws where that can't happen at this step: to publish
 * without the old key before a login through the new one is proved would lock everyone out.
 */
export function advance(rotation: Rotation, happening: Happening, at: Date): Rotation {
  const { step } = rotation
  const told = (what: string): Rotation => ({
    ...rotation,
    history: [...rotation.history, { at: at.toISOString(), what }],
  })
  const on = (what: string): Rotation => ({ ...told(what), step: after(rotation) })
  const only = (...steps: StepName[]) => {
    if (!steps.includes(step)) throw new Error(`"${happening.what}" at step ${step}`)
  }
  switch (happening.what) {
    case 'published': {
      only('publish-both', 'publish-new')
      const { serial } =
        step === 'publish-both' ? editionOf(rotation, 'both') : rotation.editions.new
      return on(
        `published serial ${serial}: ${step === 'publish-both' ? 'old and new' : 'new only'}`,
      )
    }
    case 'host-confirmed': {
      const { phase, host } = happening
      if (phase === 'both') only('confirm-both')
      else only('spread-new', 'switch-pomerium', 'confirm-new')
      const confirmed = rotation.confirmed[phase]
      if (confirmed.includes(host)) return rotation
      const isNew = ({ fingerprint }: TrustedKey) =>
        rotation.editions.new.fingerprints.includes(fingerprint)
      const others = phase === 'new' ? happening.trusted.filter(key => !isNew(key)) : []
      return {
        ...rotation,
        confirmed: { ...rotation.confirmed, [phase]: [...confirmed, host] },
        beside:
          others.length === 0 ? rotation.beside : [...rotation.beside, { host, trusted: others }],
      }
    }
    case 'all-asked': {
      only('confirm-both', 'spread-new', 'confirm-new')
      const phase = step === 'confirm-both' ? 'both' : 'new'
      const count = missing(rotation, phase).length
      if (count > 0 && step !== 'spread-new') throw new Error(`${count} hosts are missing`)
      const who = `${confirmedBy(rotation, phase)} of ${rotation.hosts.length} hosts`
      return on(`${who} trust ${phase === 'both' ? 'old and new' : 'new, and not old'}`)
    }
    case 'switched':
      only('switch-pomerium')
      return on('the operator says: Pomerium signs with the new key')
    case 'proved':
      only('prove-login')
      return on(
        happening.how === 'command'
          ? 'a login through the new CA was seen'
          : 'the operator says: a login through the new CA works',
      )
    case 'left-behind': {
      const hosts = happening.hosts.filter(host => !rotation.leftBehind.includes(host))
      if (hosts.length === 0) return rotation
      const stranger = hosts.find(host => !rotation.hosts.includes(host))
      if (stranger !== undefined) throw new Error(`no host "${stranger}"`)
      return {
        ...told(`left behind by the operator: ${hosts.join(', ')}`),
        leftBehind: [...rotation.leftBehind, ...hosts],
      }
    }
  }
}

/** How many hosts have said so; a host may have been taken out of the list since. */
export function confirmedBy({ hosts, confirmed }: Rotation, phase: 'both' | 'new'): number {
  return hosts.filter(host => confirmed[phase].includes(host)).length
}

export function editionOf({ editions }: Rotation, phase: 'both' | 'new'): Edition {
  return phase === 'both' ? (editions.both ?? editions.new) : editions.new
}

function after({ order, step }: Rotation): StepName {
  const steps: readonly StepName[] = ORDERS[order]
  const next = steps[steps.indexOf(step) + 1]
  if (next === undefined) throw new Error(`nothing comes after ${step}`)
  return next
}
