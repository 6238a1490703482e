import { messageAt } from '../../core/basics/format-place.ts'
import { exitCodeOf, type OutcomeName } from '../../core/outcome/outcome-rows.ts'
import { messageLines } from '../terminal/print-outcome.ts'
import { print, printJson } from '../terminal/screen.ts'

/** Why there is no result: of a bundle, or of the place where one should be. */
export interface Refusal {
  code: string
  message: string
  line?: number
  outcome?: OutcomeName
}

/** Prints why a bundle is refused, with its place, and gives the exit code. */
export function printRefusal(name: string, refusal: Refusal, json: boolean): number {
  const { code, message, line, outcome = 'refused' } = refusal
  if (json) {
    printJson({ outcome, code, file: name, ...(line === undefined ? {} : { line }), message })
  } else {
    const told = { outcome, code, message: messageAt(name, refusal) }
    for (const text of messageLines(told)) print(text)
  }
  return exitCodeOf({ outcome })
}
