import { optional } from '../core/basics/when-defined.ts'
import type { Config } from '../core/config/config.ts'
import type { SshdState, Unseen } from '../core/host/observation.ts'
import type { Step } from '../core/host/step.ts'
import { APPLY, bad, type Finding, warn } from '../core/outcome/finding.ts'
import type { HostRefused } from '../core/outcome/host-refusal.ts'
import type { TrustedKey } from '../core/outcome/outcome.ts'
import type { Plan } from '../core/plan/plan.ts'
import { trustInForce } from '../core/plan/trust-in-force.ts'
import { judgeLogWatchers } from '../core/services/log-watchers.ts'
import { type EffectiveConfig, trustedUserCaKeys } from '../core/sshd-config/effective-config.ts'
import type { Host } from './host/host.ts'
import { observe } from './observe/observe.ts'
import { seeLogWatchers } from './observe/see-log-watchers.ts'
import { accept, planOn } from './provision.ts'
import { keysLie, trustOnHost } from './records/keys-on-host.ts'
import { isDamaged, readState, type State } from './records/state.ts'

/** What root sees of the host's files and of sshd's configuration, at this moment. */
export interface Look {
  trusted: TrustedKey[]
  /** Where ours is to be lies a CA file that was there before us. */
  isFound: boolean
  revoked?: TrustedKey[]
  /** Whether sshd goes by these keys; absent where its configuration is broken. */
  inForce?: boolean
  /** Why a repair would leave the host as it is; absent where it would not. */
  refusal?: HostRefused
  /** What `sshd -T` says. */
  effective?: EffectiveConfig
  found: Finding[]
  unseen: Unseen[]
}

/** Looks at what a repair would look at, and changes nothing: what it would do has drifted. */
export async function lookAtHost(host: Host, config: Config, now: Date): Promise<Look> {
  const found: Finding[] = []
  const state = readState(host)
  const held = isDamaged(state) || state.held === undefined ? undefined : state
  const planned = held === undefined ? undefined : await planFor(host, held, config, now, found)
  const { acceptFrom } = config.sshd
  const {
    sshd,
    unseen,
    found: before,
  } = planned ?? (await observe(host, { restartDue: false }, acceptFrom))
  if (planned?.kind === 'steps') {
    const { exemptFromPenalties } = config.sshd
    const banned = judgeLogWatchers(await seeLogWatchers(host), exemptFromPenalties)
    found.push(...drifted(planned.steps), ...planned.advice, ...banned)
  }
  const caFile = host.layout.caFile.path
  const named =
    planned === undefined ? namesOurs(sshd, caFile) : trustInForce(sshd, caFile, planned)
  const inForce = named && planned?.refuses !== false && keysLie(host, held?.held)
  return {
    ...trustOnHost(host),
    isFound: before.has(caFile),
    ...optional('inForce', inForce),
    ...refusalOf(isDamaged(state) ? state : planned),
    ...(sshd.kind === 'readable' ? { effective: sshd.effective } : {}),
    found,
    unseen,
  }
}

function refusalOf(planned: Plan | HostRefused | undefined): Pick<Look, 'refusal'> {
  return planned?.kind === 'host-refused' ? { refusal: planned } : {}
}

async function planFor(host: Host, state: State, config: Config, now: Date, found: Finding[]) {
  const { bundle = '', source = '' } = state.held ?? {}
  const request = { bundle: Buffer.from(bundle, 'base64'), source, config, now }
  const accepted = await accept(request, host, state)
  if (accepted.kind === 'accepted') return planOn(host, accepted, request, state)
  const headline = `what is held would not be taken today (${accepted.code})`
  found.push(warn('held-refused', headline, `mend it: ${accepted.message}`))
  return undefined
}

function namesOurs(sshd: SshdState, caFile: string): boolean | undefined {
  return sshd.kind === 'readable' ? trustedUserCaKeys(sshd.effective) === caFile : undefined
}

function drifted(steps: readonly Step[]): Finding[] {
  const [first, ...more] = steps.filter(step => 'path' in step)
  if (first === undefined) return []
  const others = more.length === 0 ? '' : `; ${more.length} more`
  const headline = `changed since: ${first.path} (${first.why})${others}`
  // Who may read a file is not what sshd reads in it.
  const isAccess = [first, ...more].every(({ why }) => /^(mode|owner) /.test(why))
  return [(isAccess ? warn : bad)('drift', headline, APPLY)]
}
