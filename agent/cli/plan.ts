import { optional } from '../core/basics/when-defined.ts'
import { reportStep } from '../core/host/step.ts'
import { EXIT } from '../core/outcome/exit-codes.ts'
import { exitCodeOf } from '../core/outcome/outcome-rows.ts'
import { type Preview, preview } from '../provisioner/preview.ts'
import { type Obtained, obtain } from './host/fetch-request.ts'
import { onHost } from './host/open-command-host.ts'
import { outcomeOf, printPlan, type Shown } from './host/print-plan.ts'
import { quoted } from './terminal/copyable.ts'
import type { HostFlags } from './terminal/flags.ts'
import type { Invocation } from './terminal/invocation.ts'
import { printJson } from './terminal/screen.ts'

/** Prints what `apply` would do, and does none of it. */
export async function plan(invocation: Invocation): Promise<number> {
  const { flags, config, host } = await onHost(invocation)
  const obtained = await obtain(config, host, flags, invocation)
  const shown = await show(obtained, request => preview(request, host))
  if (flags.json) printJson(forPrograms(shown))
  else printPlan(shown, again(flags))
  return exitCode(shown)
}

// What was planned is done on the same tree, by the same config.
function again({ config, root }: HostFlags): string[] {
  return [
    ...(config === undefined ? [] : [`--config ${quoted(config)}`]),
    ...(root === '/' ? [] : [`--root ${quoted(root)}`]),
  ]
}

async function show(
  obtained: Obtained,
  look: (request: Extract<Obtained, { kind: 'request' }>['request']) => Promise<Preview>,
): Promise<Shown> {
  return obtained.kind === 'request' ? look(obtained.request) : { ...obtained, unseen: [] }
}

function forPrograms(shown: Shown) {
  const { unseen } = shown
  switch (shown.kind) {
    case 'steps':
      return {
        outcome: 'plan',
        changes: exitCode(shown) !== 0,
        steps: shown.steps.map(reportStep),
        ...optional('keys', 'keys' in shown ? shown.keys : undefined),
        unseen,
        ...(shown.tookOver.length === 0 ? {} : { took_over: shown.tookOver }),
        ...(shown.warnings.length === 0 ? {} : { warnings: shown.warnings }),
      }
    case 'unavailable':
      return { outcome: outcomeOf(shown), code: shown.code, message: shown.message, unseen }
    default: {
      const { kind: _, ...rest } = shown
      return { outcome: outcomeOf(shown), ...rest }
    }
  }
}

// What could not be seen may hold a change: only a host seen whole is said to be converged.
function exitCode(shown: Shown): number {
  if (shown.kind !== 'steps') return exitCodeOf({ outcome: outcomeOf(shown) })
  return shown.steps.length + shown.unseen.length === 0 ? EXIT.converged : EXIT.planHasChanges
}
