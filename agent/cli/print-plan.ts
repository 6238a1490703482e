import { reportStep } from '../core/step.ts'
import type { Shown } from './plan.ts'
import { stepLines } from './print-outcome.ts'
import { columns, paint, print } from './screen.ts'

/** Prints what `apply` would do, or why it would do nothing. */
export function printPlan(shown: Shown): void {
  switch (shown.kind) {
    case 'steps':
      printSteps(shown)
      break
    case 'unavailable':
      print(`${paint('red', 'source-unavailable')}: ${shown.message}`)
      break
    default:
      print(`${paint('red', shown.kind)}: ${shown.message}`)
  }
  if (shown.unseen.length === 0) return
  print('\nThis could not be seen, and may change too; run it as root to know:\n')
  for (const line of columns(shown.unseen.map(({ what, why }) => [`  ${what}`, why]))) print(line)
}

function printSteps({ steps, unseen }: Extract<Shown, { kind: 'steps' }>): void {
  if (steps.length > 0) {
    print('apply would:\n')
    for (const line of stepLines(steps.map(reportStep))) print(line)
  } else if (unseen.length === 0) {
    print(`${paint('green', 'nothing to do')}: the host is as the source wants it`)
  } else {
    print('nothing to do, as far as could be seen')
  }
}
