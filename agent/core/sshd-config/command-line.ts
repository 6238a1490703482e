import { sameKeyword } from './keyword.ts'
import { type ConfigLine, parseConfigLine } from './parse-line.ts'

/** What an `-o` on sshd's command line sets, and as it stands there. */
export interface CommandLineSetting extends ConfigLine {
  text: string
}

/**
 * The `-o` that sets a keyword, of the texts behind each `-o`. It wins over every line of every file
 * outside `Match`, and the first over later ones (sshd(8): read before the configuration file).
 */
export function settingOnCommandLine(
  options: readonly string[],
  keyword: string,
): CommandLineSetting | undefined {
  for (const text of options) {
    const line = parseConfigLine(text)
    if (line !== undefined && sameKeyword(line.keyword, keyword)) return { ...line, text }
  }
  return undefined
}
