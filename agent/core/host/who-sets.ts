import { showBytes } from '../sshd-config/bytes.ts'
import { settingOnCommandLine } from '../sshd-config/command-line.ts'
import { scanOf } from '../sshd-config/config-snapshot.ts'
import { describePlace, isUnconditional } from '../sshd-config/directive.ts'
import { globalWinner, overrides } from '../sshd-config/effective-line.ts'
import type { Observation } from './observation.ts'

/** Where the `value` in force for everybody comes from: a file and its line, or the command line. */
export function whoSets(
  keyword: string,
  { config, commandLine, service }: Pick<Observation, 'config' | 'commandLine' | 'service'>,
  value?: string,
): string {
  const directives = scanOf(config)
  const override = overrides(directives, keyword).find(isUnconditional)
  const option = settingOnCommandLine(commandLine, keyword)
  if (override === undefined && option !== undefined) {
    const unit = 'unit' in service ? `, see ${service.unit}` : ''
    return `-o ${showBytes(option.text)} on sshd's command line${unit}`
  }
  const winner = override ?? globalWinner(directives, keyword)
  if (winner === undefined) return "sshd's command line or its defaults, and no file"
  const overruled = value !== undefined && winner.args[0]?.toLowerCase() !== value.toLowerCase()
  return overruled ? "sshd's command line (-o)" : describePlace(winner)
}
