import type { Directive, MatchBlock } from './directive.ts'
import { absolutePattern, expandPattern } from './glob.ts'
import { parseConfigLine } from './parse-line.ts'

/** The files of the host, as far as sshd would see them; both take absolute paths. */
export interface ConfigFiles {
  /** The text of a file; `undefined` where there is none that can be read. */
  read(path: string): string | undefined
  /** The names in a folder, those with a dot too; none where there is no such folder. */
  list(folder: string): readonly string[]
}

/** servconf.c, SERVCONF_MAX_DEPTH. */
const MAX_DEPTH = 16

/**
 * Everything that the configuration starting at `start` sets, in the order in which sshd reads it;
 * a file that is included twice stands twice. Says nothing of what sshd makes of it: a line may be
 * one that it refuses (ask `sshd -t`).
 *
 * Lines are read as by OpenSSH 8.7 and later. Before, sshd cut a line at any `#`, even within quotes,
 * and knew neither single quotes nor backslashes. A file that an Include names but that cannot be read
 * is passed over, where sshd would leave; Includes nested too deep end the reading, as they end sshd.
 */
export function scanSshdConfig(start: string, files: ConfigFiles): Directive[] {
  const directives: Directive[] = []

  // False as soon as sshd would have given up.
  function readFile(
    file: string,
    enclosing: readonly MatchBlock[],
    depth: number,
    via?: Directive['via'],
  ): boolean {
    if (depth > MAX_DEPTH) return false
    // What a Match opens ends with its file: the including file goes on in its own scope.
    let matches = enclosing
    for (const [index, text] of (files.read(file) ?? '').split('\n').entries()) {
      const parsed = parseConfigLine(text)
      if (parsed === undefined) continue
      const { keyword, args } = parsed
      const line = index + 1
      const place = { file, line, keyword, ...(via && { via }) }
      if (keyword === 'match') {
        directives.push({ ...place, args, matches: enclosing })
        matches = [...enclosing, { file, line, criteria: args }]
      } else if (keyword === 'include') {
        const include = { ...place, args: args.map(absolutePattern), matches }
        directives.push(include)
        if (!readIncluded(include, depth)) return false
      } else {
        directives.push({ ...place, args, matches })
      }
    }
    return true
  }

  function readIncluded(include: Directive, depth: number): boolean {
    return include.args.every((pattern, index) =>
      expandPattern(pattern, files.list).every(file =>
        readFile(file, include.matches, depth + 1, { include, pattern: index }),
      ),
    )
  }

  readFile(start, [], 0)
  return directives
}
