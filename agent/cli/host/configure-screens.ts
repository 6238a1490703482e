import type { SettingName } from '../../core/config/settings.ts'
import { isGood } from '../../core/outcome/outcome-rows.ts'
import type { PollRecord } from '../../core/report/poll-record.ts'
import type { Status } from '../../core/report/status-record.ts'
import type { FailedUnit } from '../../provisioner/init/our-services/failed-unit.ts'
import { UsageError } from '../terminal/invocation.ts'
import { wrap, wrapped } from '../terminal/screen.ts'
import type { FileFault } from './check-files.ts'

/** What is wrong with what configure was given, before it has changed anything. */
export function refusal(lines: readonly string[]): UsageError {
  const head = 'nothing is changed; mend this, then configure again'
  return new UsageError([head, ...lines].join('\n'))
}

/** Refuses what is wrong, all of it at once. Returns notes of what is no reason to. */
export function refuseFaults(
  faults: readonly FileFault[],
  placeOf: (name: SettingName) => string,
  { renewed }: { renewed: boolean },
): string[] {
  // An upgrade was not asked for by who changed the settings.
  const isNote = ({ bearable, passing }: FileFault) => passing || (bearable && renewed)
  const said = ({ setting, message }: FileFault) => `${placeOf(setting)}: ${message}`
  const wrong = faults.filter(fault => !isNote(fault))
  if (wrong.length > 0) {
    const lines = wrong.flatMap(fault => [
      ...wrapped(said(fault), '  '),
      // Not wrapped: it is to be copied.
      ...(fault.write === undefined ? [] : [`    ${fault.write}`]),
    ])
    throw refusal(lines)
  }
  return faults.map(said)
}

/** Something to know, on lines of their own; install.sh tells them by their beginning. */
export function describeNote(text: string): string[] {
  return wrap(`note: ${text}`, '      ')
}

/** What does not work though the settings are laid, each with its reason. */
export function describeFailed(failed: readonly FailedUnit[]): string[] {
  const what = failed.length === 1 ? 'a service of ours does' : 'services of ours do'
  return [
    `the settings are laid, and ${what} not work`,
    ...failed.flatMap(({ unit, why, said }) => [
      ...wrapped(`${unit} ${why}`, '  '),
      ...(said === '' ? [] : wrapped(said, '    ')),
    ]),
    "  mend that, then configure again; see: journalctl -u 'pomerium-host-agent*'",
  ]
}

/**
 * What is not well though each service does its work: how the last look at the source ended, or the repair
 * of what is held. Neither is the settings' fault.
 */
export function describeTrouble({ lastPoll }: PollRecord, status: Status | undefined): string[] {
  if (lastPoll === undefined) {
    return ['the settings are in force, and the source has given no answer yet']
  }
  const ends = [
    ['the last look at the source', lastPoll],
    ['the last look at the host', status?.outcome],
  ] as const
  for (const [what, end] of ends) {
    if (end === undefined || isGood(end)) continue
    const why = end.code === undefined ? end.outcome : `${end.outcome} (${end.code})`
    return [
      `the settings are in force, and ${what} ended so:`,
      ...wrapped(`${why}: ${end.message}`, '  '),
    ]
  }
  return []
}
