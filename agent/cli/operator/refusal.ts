import { messageAt } from '../../core/basics/format-place.ts'
import { EXIT } from '../../core/outcome/outcome.ts'
import { messageLines } from '../terminal/print-outcome.ts'
import { print, printJson } from '../terminal/screen.ts'

/** Why there is no result: of a bundle, or of the place where one should be. */
export interface Refusal {
  code: string
  message: string
  line?: number
  exit?: number
}

/** Prints why a bundle is refused, with its place, and gives the exit code. */
export function printRefusal(name: string, refusal: Refusal, json: boolean): number {
  const { code, message, line, exit = EXIT.bundleRefused } = refusal
  const outcome = exit === EXIT.sourceUnavailable ? 'source-unavailable' : 'refused'
  if (json) {
    printJson({ outcome, code, file: name, ...(line === undefined ? {} : { line }), message })
  } else {
    const told = { outcome, code, message: messageAt(name, refusal) }
    for (const text of messageLines(told)) print(text)
  }
  return exit
}
