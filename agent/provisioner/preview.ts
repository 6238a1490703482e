import { optional } from '../core/basics/when-defined.ts'
import type { Unseen } from '../core/host/observation.ts'
import { asWarning } from '../core/outcome/finding.ts'
import { type KeyChanges, keyChanges } from '../core/outcome/key-changes.ts'
import type { Plan } from '../core/plan/plan.ts'
import { judgeLogWatchers } from '../core/services/log-watchers.ts'
import type { Disagreement } from '../core/trust/second-verifier.ts'
import type { Accepted } from '../core/trust/trust.ts'
import type { Host } from './host/host.ts'
import { seeLogWatchers } from './observe/see-log-watchers.ts'
import { accept, planOn, type Request } from './provision.ts'
import { keysOnHost } from './records/keys-on-host.ts'
import { FRESH_STATE, isDamaged, readState } from './records/state.ts'

/** What `apply` would do: the same steps, made by the same functions. */
export type Preview = (Plan | Exclude<Accepted, { kind: 'accepted' }> | Disagreement) & {
  unseen: Unseen[]
  /** Which keys come and which go, as `apply` would report them. */
  keys?: KeyChanges
}

/** Everything up to the steps; changes nothing and needs no lock. */
export async function preview(request: Request, host: Host): Promise<Preview> {
  const { state, unseen } = readStateIfAllowed(host)
  if (isDamaged(state)) return { ...state, unseen }
  const accepted = await accept(request, host, state)
  if (accepted.kind !== 'accepted') return { ...accepted, unseen }
  const planned = await planOn(host, accepted, request, state)
  const { sshd: _, ports: __, config: ___, found: ____, refuses: _____, ...plan } = planned
  const seen = { ...plan, unseen: [...unseen, ...plan.unseen] }
  if (seen.kind !== 'steps') return seen
  const keys = keyChanges(keysOnHost(host), seen.steps, host.layout.caFile.path)
  const watchers = host.isRoot ? await seeLogWatchers(host) : []
  const banned = judgeLogWatchers(watchers, request.config.sshd.exemptFromPenalties)
  const advice = [...seen.advice, ...banned].map(asWarning)
  const warnings = [...accepted.warnings, ...seen.warnings, ...advice]
  return { ...seen, warnings, ...optional('keys', keys) }
}

function readStateIfAllowed(host: Host): {
  state: ReturnType<typeof readState>
  unseen: Unseen[]
} {
  if (host.isRoot) return { state: readState(host), unseen: [] }
  const why = 'only root may read it'
  return { state: FRESH_STATE, unseen: [{ what: host.layout.stateFile.path, why }] }
}
