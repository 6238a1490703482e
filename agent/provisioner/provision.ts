import { renderCaKeys } from '../core/bundle.ts'
import type { Config } from '../core/config/config.ts'
import { renderDropIn } from '../core/drop-in.ts'
import type { Outcome } from '../core/outcome.ts'
import { type Kept, refused, stopped, succeeded } from '../core/outcomes.ts'
import { planApply } from '../core/plan.ts'
import type { Step } from '../core/step.ts'
import { type Accepted, acceptBundle } from '../core/trust.ts'
import { describeFailure, execute, type OnStep } from './execute.ts'
import type { Host } from './host.ts'
import { keysOnHost } from './keys-on-host.ts'
import { observe } from './observe.ts'
import { readState, type State, writeState } from './state.ts'

/** What a cycle is asked to put on the host, and by which rules. */
export interface Request {
  /** The bytes as they came from the source; everything is decided from them again. */
  bundle: Uint8Array
  /** Where they came from, for people: a URL without query. */
  source: string
  config: Config
  now: Date
}

/** One whole cycle: decide, look, plan, run, remember. The caller holds the lock. */
export async function provision(request: Request, host: Host, onStep?: OnStep): Promise<Outcome> {
  const state = readState(host)
  const accepted = accept(request, state)
  if (accepted.kind === 'refused') return refused(accepted, kept(host, state))
  const plan = planApply(await observe(host), host.layout, wanted(accepted, request.config))
  if (plan.kind === 'host-refused') {
    const { code, message } = plan
    return stopped({ outcome: 'host-refused', code, message }, kept(host, state))
  }
  const execution = await execute(plan.steps, host, onStep)
  if (execution.kind !== 'done') {
    return stopped(describeFailure(execution), { ...kept(host, state), steps: plan.steps })
  }
  remember(accepted, request, plan.steps, state, host)
  const warnings =
    host.sshd === undefined ? ['no sshd was there to prove that it uses the keys'] : []
  return succeeded(accepted.bundle, plan.steps, warnings)
}

/** What is decided from the bytes, what was accepted before and the rules of the config. */
export function accept({ bundle, config, now }: Request, state: State): Accepted {
  const { fingerprints, signersFile } = config.trust
  const policy = {
    signatureRequired: signersFile !== undefined,
    ...(fingerprints === undefined ? {} : { fingerprints }),
  }
  return acceptBundle(bundle, state.held, policy, now)
}

/** The host as an accepted bundle and the config want it. */
export function wanted({ bundle }: Extract<Accepted, { kind: 'accepted' }>, { sshd }: Config) {
  return { caKeys: renderCaKeys(bundle.keys), dropIn: renderDropIn(sshd), restart: sshd.restart }
}

/** What the host trusts, whatever became of the cycle. */
export function kept(host: Host, { held }: State): Kept {
  return {
    trusted: keysOnHost(host),
    ...(held?.serial === undefined ? {} : { serial: held.serial }),
  }
}

// Written only where it says something new: a quiet cycle touches nothing.
function remember(
  { bundle, digest }: Extract<Accepted, { kind: 'accepted' }>,
  { source, now }: Request,
  steps: readonly Step[],
  state: State,
  host: Host,
): void {
  const made = steps.flatMap(step => (step.do === 'make-folder' ? [step.path] : []))
  if (made.length === 0 && state.held?.digest === digest && state.held.source === source) return
  writeState(host, {
    version: 1,
    held: {
      ...(bundle.serial === undefined ? {} : { serial: bundle.serial }),
      digest,
      keys: renderCaKeys(bundle.keys),
      source,
      acceptedAt: now.toISOString(),
    },
    madeFolders: [...new Set([...state.madeFolders, ...made])],
  })
}
