// A fleet, a Pomerium and an operator in memory, around a served file and a state file that are real.

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseBundle } from '../../../agent/core/bundle/bundle.ts'
import { parseCaKey } from '../../../agent/core/keys/ca-key.ts'
import { type TrustedKey, trustedKeys } from '../../../agent/core/outcome/outcome.ts'
import { judgeReply, type Wanted } from '../../../agent/publisher/notify/judge.ts'
import type { HostReport } from '../../../agent/publisher/notify/notify.ts'
import { type Begun, begin } from '../../../agent/publisher/rotate/begin.ts'
import { drive, type Effects, type End } from '../../../agent/publisher/rotate/drive.ts'
import { publish } from '../../../agent/publisher/rotate/publish.ts'
import type { Order } from '../../../agent/publisher/rotate/rotation.ts'
import { readState, type State, writeState } from '../../../agent/publisher/rotate/state-file.ts'
import { outcomeWith } from '../notify/outcomes.ts'
import { FIRST, OTHER } from '../serve/with-server.ts'

export class Killed extends Error {}

export const [OLD, NEW] = [FIRST, OTHER].map(line => {
  const parsed = parseCaKey(line)
  if (parsed.kind === 'refused') throw new Error(parsed.message)
  return parsed.key
}) as [Key, Key]
type Key = Extract<ReturnType<typeof parseCaKey>, { kind: 'key' }>['key']

interface PlayedHost {
  holds: { fingerprints: string[]; revoked?: TrustedKey[]; serial: number }
  reachable: boolean
  /** A key that it trusts by another owner’s file. */
  adopted?: string
}

export interface World {
  hosts: Map<string, PlayedHost>
  /** The CA that Pomerium signs with. */
  signing: string
  file: string
  stateFile: string
  /** Effects that were begun; the run is killed before and behind the one of these numbers. */
  killAt: number
  effects: number
  /** Each moment at which a host that is up would have refused Pomerium. */
  troubles: string[]
}

export function makeWorld(
  folder: string,
  names: readonly string[],
  away: readonly string[] = [],
): World {
  const file = join(folder, 'bundle')
  writeFileSync(file, `# serial: 6\n${FIRST}\n`)
  const holds = { fingerprints: [OLD.fingerprint], serial: 6 }
  return {
    hosts: new Map(names.map(name => [name, { holds, reachable: !away.includes(name) }])),
    signing: OLD.fingerprint,
    file,
    stateFile: join(folder, 'rotation.yaml'),
    killAt: Number.POSITIVE_INFINITY,
    effects: 0,
    troubles: [],
  }
}

export async function beginIn(world: World, order: Order): Promise<Begun> {
  const begun = await begin({
    order,
    published: readFileSync(world.file),
    newKeys: [NEW],
    hosts: [...world.hosts.keys()],
    now: new Date('2026-11-20T10:00:00Z'),
  })
  if (begun.kind === 'begun') {
    const targets = [...world.hosts.keys()].map(name => ({ name, url: `http://${name}` }))
    writeState(world.stateFile, {
      settings: { bundle: world.file },
      targets,
      rotation: begun.rotation,
    })
  }
  return begun
}

/** One call of `bundle rotate`: reads the state, goes as far as it can, or is killed. */
export async function run(world: World, orders = { switched: false, proved: false }): Promise<End> {
  const state = readState(world.stateFile) as State
  const effect = async <T>(work: () => Promise<T> | T): Promise<T> => {
    world.effects += 1
    if (world.effects === world.killAt) throw new Killed()
    const result = await work()
    poll(world)
    world.effects += 1
    if (world.effects === world.killAt) throw new Killed()
    return result
  }
  // Saving is done at one blow: a kill before or behind it, and none that leaves half.
  const saved = (rotation: State['rotation']) => {
    world.effects += 1
    if (world.effects === world.killAt) throw new Killed()
    writeState(world.stateFile, { ...state, rotation })
    world.effects += 1
    if (world.effects === world.killAt) throw new Killed()
  }
  const effects: Effects = {
    save: saved,
    publish: (edition, instead) => effect(() => publish(edition, instead, { file: world.file })),
    tell: (hosts, wanted, onReport) => effect(() => tell(world, hosts, wanted, onReport)),
    prove: fingerprints =>
      effect(() =>
        fingerprints.includes(world.signing)
          ? { proved: true as const }
          : { proved: false as const, why: 'another CA' },
      ),
    onStep: () => {},
    now: () => new Date('2026-11-20T10:00:01Z'),
  }
  return drive(state.rotation, orders, effects)
}

// Every host that is up polls by itself, at the worst of times.
function poll(world: World): void {
  const bundle = parseBundle(readFileSync(world.file))
  if (bundle.kind === 'refused') throw new Error(bundle.message)
  for (const host of world.hosts.values()) {
    if (!host.reachable || (bundle.serial ?? 0) < host.holds.serial) continue
    const fingerprints = bundle.keys.map(({ fingerprint }) => fingerprint)
    host.holds = { fingerprints, revoked: trustedKeys(bundle.revoked), serial: bundle.serial ?? 0 }
  }
  checkTrust(world)
}

/** Hosts that Pomerium could not log in to. */
export function lockedOut({ hosts, signing }: World): string[] {
  return [...hosts]
    .filter(([, { holds, reachable }]) => reachable && !holds.fingerprints.includes(signing))
    .map(([name]) => name)
}

function checkTrust(world: World): void {
  const out = lockedOut(world)
  if (out.length > 0) world.troubles.push(`locked out: ${out.join(', ')}`)
}

function tell(
  world: World,
  hosts: ReadonlySet<string>,
  wanted: Wanted,
  onReport: (report: HostReport) => void,
): HostReport[] {
  poll(world)
  return [...hosts].map(host => {
    const played = world.hosts.get(host)
    const standing =
      played?.reachable === true
        ? judgeReply({ kind: 'outcome', outcome: outcomeOf(played) }, wanted)
        : judgeReply({ kind: 'unreachable', code: 'no-route', message: 'no way' }, wanted)
    const report = { host, ...standing, attempts: 1 }
    onReport(report)
    return report
  })
}

function outcomeOf({ holds: { fingerprints, revoked = [], serial }, adopted }: PlayedHost) {
  const outcome = outcomeWith('applied', fingerprints, { serial, revoked })
  if (adopted === undefined) return outcome
  const key = {
    type: 'ssh-ed25519',
    fingerprint: adopted,
    comment: '',
    adopted: '/etc/ssh/team.pub',
  }
  return { ...outcome, trusted: [...outcome.trusted, key] }
}
