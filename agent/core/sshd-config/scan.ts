import type { Directive, MatchBlock } from './directive.ts'
import { absolutePattern, expandPattern } from './glob.ts'
import { linesOf } from './lines.ts'
import { parseConfigLine } from './parse-line.ts'
import type { Syntax } from './syntax.ts'

/** The files of the host, as far as sshd would see them. Paths are absolute, and all is bytes. */
export interface ConfigFiles {
  /** What a file holds; `undefined` where there is none that can be read. */
  read(path: string): string | undefined
  /** The names in a folder, those with a dot too; none where there is no such folder. */
  list(folder: string): readonly string[]
  /** The name by which a folder is known, where an Include may spell it otherwise, by way of a link. */
  known?(folder: string): string
}

/** servconf.c, SERVCONF_MAX_DEPTH. */
const MAX_DEPTH = 16
/** Of all Includes: sixteen folders that each include the next come to more than anyone waits for. */
const MOST_FILES = 10_000

/**
 * Everything that the configuration starting at `start` sets, in the order in which sshd reads it;
 * a file that is included twice stands twice. Says nothing of what sshd makes of it: a line may be
 * one that it refuses (ask `sshd -t`).
 *
 * A file that an Include names but that cannot be read is passed over, where sshd would leave; Includes
 * nested too deep end the reading, as they end sshd.
 */
export function scanSshdConfig(
  start: string,
  files: ConfigFiles,
  syntax: Syntax = 'since-8.7',
): Directive[] {
  const directives: Directive[] = []
  let filesRead = 0

  // False as soon as sshd would have given up.
  function readFile(
    file: string,
    enclosing: readonly MatchBlock[],
    depth: number,
    via?: Directive['via'],
  ): boolean {
    filesRead += 1
    if (depth > MAX_DEPTH || filesRead > MOST_FILES) return false
    // What a Match opens ends with its file: the including file goes on in its own scope.
    let matches = enclosing
    for (const { text, line } of linesOf(files.read(file) ?? '', syntax)) {
      const parsed = parseConfigLine(text, syntax)
      if (parsed === undefined) continue
      const { keyword, args } = parsed
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

  function byKnownName(file: string): string {
    const at = file.lastIndexOf('/')
    const folder = file.slice(0, at)
    return `${files.known?.(folder) ?? folder}${file.slice(at)}`
  }

  function readIncluded(include: Directive, depth: number): boolean {
    return include.args.every((pattern, index) =>
      expandPattern(pattern, files.list).every(file =>
        readFile(byKnownName(file), include.matches, depth + 1, { include, pattern: index }),
      ),
    )
  }

  readFile(start, [], 0)
  return directives
}
