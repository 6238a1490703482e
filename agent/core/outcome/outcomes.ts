import { optional } from '../basics/when-defined.ts'
import { reportStep, type Step } from '../host/step.ts'
import type { Place } from '../sshd-config/directive.ts'
import type { HostRefused } from './host-refusal.ts'
import type { KeyChanges } from './key-changes.ts'
import { type Outcome, type TrustedKey, trustedKeys } from './outcome.ts'

/** What stays true of a host that was left as it was. */
export interface Kept {
  trusted: readonly TrustedKey[]
  revoked?: readonly TrustedKey[]
  serial?: number
}

/** The end of a cycle that did all its steps, or had none to do. */
export function succeeded(
  host: Kept,
  { steps, tookOver }: { steps: readonly Step[]; tookOver: readonly Place[] },
  action: 'none' | 'restarted' | 'deferred',
  warnings: string[],
  keys: KeyChanges | undefined,
): Outcome {
  const restart = steps.find(step => step.do === 'restart-sshd')
  const { length } = host.trusted
  const count = length === 1 ? '1 CA key' : `${length} CA keys`
  const dead = host.revoked === undefined ? '' : `, ${host.revoked.length} revoked`
  const [outcome, message] =
    steps.length === 0
      ? (['unchanged', `nothing to do: ${count} trusted${dead}`] as const)
      : (['applied', `this host now trusts ${count}${dead}`] as const)
  return {
    outcome,
    message,
    steps: steps.map(reportStep),
    ...kept(host),
    ...optional('keys', keys),
    ...(tookOver.length === 0 ? {} : { took_over: [...tookOver] }),
    ...(restart === undefined ? {} : { service: { unit: restart.unit, action } }),
    ...(warnings.length === 0 ? {} : { warnings }),
  }
}

/** The end of a cycle that changed nothing, or changed it back. */
export function stopped(
  end: Pick<Outcome, 'outcome' | 'code' | 'message' | 'line'>,
  { steps = [], ...host }: Kept & { steps?: readonly Step[] },
): Outcome {
  return { ...end, steps: steps.map(reportStep), ...kept(host) }
}

/** The end of a cycle on a host that is left as it is. */
export function hostRefused(
  { code, message }: HostRefused,
  host: Kept & { steps?: readonly Step[] },
): Outcome {
  return stopped({ outcome: 'host-refused', code, message }, host)
}

/** A refused bundle; the line stands in the message too, for people. */
export function refused(refusal: { code: string; message: string; line?: number }, host: Kept) {
  const { code, line, message } = refusal
  const told = line === undefined ? message : `line ${line} of the bundle: ${message}`
  return stopped({ outcome: 'refused', code, message: told, ...optional('line', line) }, host)
}

/** An outcome with one more warning, if there is one. */
export function warned(outcome: Outcome, warning: string | undefined): Outcome {
  if (warning === undefined) return outcome
  return { ...outcome, warnings: [...(outcome.warnings ?? []), warning] }
}

function kept({ trusted, revoked, serial }: Kept) {
  const dead = revoked && trustedKeys(revoked)
  return { trusted: trustedKeys(trusted), ...optional('revoked', dead), ...serialOf(serial) }
}

function serialOf(serial: number | undefined): { serial?: number } {
  return serial === undefined ? {} : { serial }
}
