import { type StepReport, VERBS } from '../../core/host/step.ts'
import type { KeyChanges } from '../../core/outcome/key-changes.ts'
import type { Outcome, TrustedKey } from '../../core/outcome/outcome.ts'
import { isGood } from '../../core/outcome/outcome-rows.ts'
import type { Place } from '../../core/sshd-config/directive.ts'
import { columns, paint, print, printJson, wrap } from './screen.ts'

/** Prints how a cycle ended: what was done, what it means, what is trusted now. */
export function printOutcome(outcome: Outcome, json: boolean): void {
  if (json) {
    printJson(outcome)
    return
  }
  if (outcome.steps.length > 0) {
    print(`${[...stepLines(outcome.steps), ...changeLines(outcome.keys)].join('\n')}\n`)
  }
  const good = isGood(outcome)
  for (const line of messageLines(outcome, good)) printWrapped(line)
  if (outcome.trusted.length > 0) {
    if (!good) print('\nStill trusted, as before:')
    for (const { fingerprint, type, comment, adopted } of outcome.trusted) {
      const key = `  ${fingerprint} ${type} ${comment}`.trimEnd()
      printWrapped([key, ...adoptedFrom(adopted)].join(', '))
    }
  }
  for (const line of takeOverLines('took over', outcome.took_over)) printWrapped(line)
  for (const line of warningLines(outcome.warnings ?? [])) print(line)
}

function printWrapped(line: string): void {
  for (const each of wrap(line, '    ')) print(each)
}

/** Key by key what comes and what goes, below the steps that bring it about. */
export function changeLines(keys: KeyChanges | undefined): string[] {
  if (keys === undefined) return []
  const lines = (sign: '+' | '−', colour: 'green' | 'red', changed: readonly TrustedKey[]) =>
    changed.flatMap(({ fingerprint, comment }) =>
      wrap(`  ${paint(colour, `${sign} ${fingerprint}`)} ${comment}`.trimEnd(), '      '),
    )
  return ['', ...lines('+', 'green', keys.added), ...lines('−', 'red', keys.removed)]
}

/** The lines that a person had set up by hand, and that count no more. */
export function takeOverLines(verb: string, lines: readonly Place[] = []): string[] {
  return lines.map(
    ({ file, line }) =>
      `${verb} ${file}:${line}, set up by hand for the same CA; remove gives it back`,
  )
}

/** What is well enough and ought to be better. */
export function warningLines(warnings: readonly string[]): string[] {
  return warnings.flatMap(warning => {
    const [sentence = '', ...write] = warning.split('\n')
    return [...wrap(`${paint('yellow', 'warning')}: ${sentence}`, '  '), ...linesToWrite(write)]
  })
}

/** Lines for a person to copy: they are not broken. */
export const linesToWrite = (lines: readonly string[]) => lines.map(line => `    ${line}`)

/** What happened, and its code to look up, in the first line; what to do about it in the next ones. */
export function messageLines(
  { outcome, code, message }: { outcome: string; code?: string; message: string },
  good = false,
): string[] {
  const [first = '', ...rest] = message.split(/(?<=\.) (?=[A-Z])|; /)
  const named = paint(good ? 'green' : 'red', outcome)
  const looked = code === undefined || code === outcome ? named : `${named} (${code})`
  return [`${looked}: ${first}`, ...rest.map(line => `  ${line}`)]
}

/** The steps as a person reads them, one a line. */
export function stepLines(steps: readonly StepReport[]): string[] {
  return columns(
    steps.map(step => [
      `  ${VERBS[step.do]}`,
      step.path ?? step.unit ?? step.command ?? '',
      step.why,
    ]),
  ).flatMap(line => wrap(line, '      '))
}

/** The trusted keys, fingerprint first: that is what a person compares. */
export function keyLines(keys: readonly TrustedKey[]): string[] {
  return columns(
    keys.map(({ fingerprint, type, comment, adopted }) => [
      fingerprint,
      type,
      comment,
      ...adoptedFrom(adopted),
    ]),
  )
}

/** Whose a key is that no bundle named; nothing for the others. */
export const adoptedFrom = (file: string | undefined) =>
  file === undefined ? [] : [`adopted from ${file}`]
