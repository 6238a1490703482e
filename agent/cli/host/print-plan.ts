import { reportStep } from '../../core/host/step.ts'
import type { KeyChanges } from '../../core/outcome/key-changes.ts'
import type { OutcomeName } from '../../core/outcome/outcome-rows.ts'
import type { Preview } from '../../provisioner/preview.ts'
import {
  changeLines,
  messageLines,
  stepLines,
  takeOverLines,
  warningLines,
} from '../terminal/print-outcome.ts'
import { columns, paint, print } from '../terminal/screen.ts'
import type { Obtained } from './fetch-request.ts'

/** What is printed: the plan, or why there is none. */
export type Shown = Preview | (Exclude<Obtained, { kind: 'request' }> & { unseen: [] })

/** How `apply` would end where there is no plan. */
export function outcomeOf({ kind }: Exclude<Shown, { kind: 'steps' }>): OutcomeName {
  return kind === 'unavailable' ? 'source-unavailable' : kind
}

/** Prints what `apply` would do, or why it would do nothing. `flags`: with which `apply` does just that. */
export function printPlan(shown: Shown, flags: readonly string[]): void {
  if (shown.kind === 'steps') printSteps(shown, flags)
  else printAll(messageLines({ ...shown, outcome: outcomeOf(shown) }))
  if (shown.unseen.length === 0) return
  print('\nThis could not be seen, and may change too; run it as root to know:\n')
  printAll(
    columns([...new Map(shown.unseen.map(({ what, why }) => [what, [`  ${what}`, why]])).values()]),
  )
}

function printAll(lines: readonly string[]): void {
  for (const line of lines) print(line)
}

function printSteps(
  {
    steps,
    unseen,
    warnings,
    keys,
    tookOver,
  }: Extract<Shown, { kind: 'steps' }> & { keys?: KeyChanges },
  flags: readonly string[],
): void {
  if (steps.length > 0) {
    print('apply would:\n')
    printAll(stepLines(steps.map(reportStep)))
    printAll(changeLines(keys))
    printAll(takeOverLines('  take over', tookOver))
    print(`\n${['do it: sudo pomerium-host-agent apply', ...flags].join(' ')}`)
  } else if (unseen.length === 0) {
    print(`${paint('green', 'nothing to do')}: the host is as the source wants it`)
  } else {
    print('nothing to do, as far as could be seen')
  }
  printAll(warningLines(warnings))
}
