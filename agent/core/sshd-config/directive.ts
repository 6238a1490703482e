import { showBytes } from './bytes.ts'

/** A place in the configuration. */
export interface Place {
  /** Bytes, as the Include spells it. */
  file: string
  /** From 1. */
  line: number
}

/** A `Match` line, which holds to the next one or the end of its file. */
export interface MatchBlock extends Place {
  /** As they stand: `['User', 'alice', 'Address', '10.0.0.0/8']`, or `['all']`. */
  criteria: readonly string[]
}

/** One line of the configuration that sets something, `Match` and `Include` among them. */
export interface Directive extends Place {
  /** In lower case, as it stands in the file. */
  keyword: string
  /** Of an `Include`: its patterns, made absolute. */
  args: readonly string[]
  /**
   * The blocks that must all match for this line to count, outermost first; empty at global scope.
   * More than one where a file that is included from within a block has blocks of its own.
   */
  matches: readonly MatchBlock[]
  /** Why the file was read: the `Include`, and the index of the pattern; none in the first file. */
  via?: { include: Directive; pattern: number }
}

/** `/etc/ssh/sshd_config.d/00-x.conf:3` */
export function describePlace({ file, line }: Place): string {
  return `${showBytes(file)}:${line}`
}

/** `Match all`, the idiom that ends a block. It overrides what is set at global scope all the same. */
function matchesAll({ criteria }: MatchBlock): boolean {
  return criteria.length === 1 && criteria[0]?.toLowerCase() === 'all'
}

/** At global scope, or in no other block than `Match all`. */
export function isUnconditional({ matches }: Directive): boolean {
  return matches.every(matchesAll)
}
