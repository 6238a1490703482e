import { parseBundle } from '../../core/bundle/bundle.ts'
import type { Wanted } from '../notify/judge.ts'
import type { HostReport } from '../notify/notify.ts'
import { advance, type Edition, missing, nextAction, type Rotation } from './rotation.ts'

/** What a rotation does to the world; each may be done twice, since a run may be killed behind it. */
export interface Effects {
  /** Keeps the rotation, whole or not at all. */
  save(rotation: Rotation): void
  /** Serves an edition in place of one of `instead` (texts, or SHA-256 in hex); a problem, or none. */
  publish(edition: Edition, instead: readonly string[]): Promise<string | undefined>
  /** Tells hosts and asks until they hold it, or time is up. */
  tell(
    hosts: ReadonlySet<string>,
    wanted: Wanted,
    onReport: (report: HostReport) => void,
  ): Promise<HostReport[]>
  /** Whether a login through the new CA was seen; absent where the operator gave no way to see one. */
  prove?(
    fingerprints: readonly string[],
  ): Promise<{ proved: true } | { proved: false; why: string }>
  /** Before each step; the operator may have to act at once. */
  onStep(rotation: Rotation): void
  now(): Date
}

/** What the operator said when calling. */
export interface Orders {
  switched: boolean
  proved: boolean
}

/** Where a run ends: at the end, or where a person is needed. */
export type End =
  | { kind: 'done'; rotation: Rotation; reports: HostReport[] }
  | { kind: 'hosts-missing'; rotation: Rotation; phase: 'both' | 'new'; reports: HostReport[] }
  | { kind: 'publish-failed'; rotation: Rotation; message: string }
  | { kind: 'switch'; rotation: Rotation; reports: HostReport[] }
  | { kind: 'prove'; rotation: Rotation; why?: string }

/**
 * Takes a rotation as far as it goes without a person. Every effect comes before the note that it is
 * done: killed in between, it is done again, and each may be.
 */
export async function drive(start: Rotation, orders: Orders, effects: Effects): Promise<End> {
  let rotation = start
  const happened = (happening: Parameters<typeof advance>[1]) => {
    rotation = advance(rotation, happening, effects.now())
    effects.save(rotation)
  }
  const ask = async (phase: 'both' | 'new', edition: Edition) => {
    const hosts = new Set(missing(rotation, phase))
    const { fingerprints, serial } = edition
    const gone = phase === 'both' ? [] : rotation.old
    const wanted = { fingerprints, serial, gone, revoked: revokedIn(edition) }
    const onReport = ({ host, state, trusted = [] }: HostReport) => {
      if (state === 'converged') happened({ what: 'host-confirmed', phase, host, trusted })
    }
    return hosts.size === 0 ? [] : effects.tell(hosts, wanted, onReport)
  }
  /** What the hosts said of the new key in this run. */
  let heard: HostReport[] | undefined
  for (;;) {
    effects.onStep(rotation)
    const action = nextAction(rotation)
    switch (action.do) {
      case 'publish': {
        const message = await effects.publish(action.edition, action.instead)
        if (message !== undefined) return { kind: 'publish-failed', rotation, message }
        happened({ what: 'published' })
        break
      }
      case 'confirm': {
        const { phase, edition, needed } = action
        const reports = await ask(phase, edition)
        if (phase === 'new') heard = reports
        if (needed && missing(rotation, phase).length > 0) {
          return { kind: 'hosts-missing', rotation, phase, reports }
        }
        happened({ what: 'all-asked' })
        break
      }
      case 'switch':
        if (!orders.switched) {
          // In the emergency each call is one more try to reach whom the first did not.
          if (rotation.order === 'compromised') {
            heard ??= await ask('new', rotation.editions.new)
          }
          return { kind: 'switch', rotation, reports: heard ?? [] }
        }
        happened({ what: 'switched' })
        break
      case 'prove': {
        const { fingerprints } = rotation.editions.new
        if (effects.prove !== undefined) {
          const proof = await effects.prove(fingerprints)
          if (proof.proved) {
            happened({ what: 'proved', how: 'command' })
            break
          }
          if (!orders.proved) return { kind: 'prove', rotation, why: proof.why }
        }
        if (!orders.proved) return { kind: 'prove', rotation }
        happened({ what: 'proved', how: 'operator' })
        break
      }
      case 'nothing':
        return { kind: 'done', rotation, reports: heard ?? [] }
    }
  }
}

function revokedIn({ text }: Edition): string[] {
  const bundle = parseBundle(Buffer.from(text))
  return bundle.kind === 'bundle' ? bundle.revoked.map(({ fingerprint }) => fingerprint) : []
}
