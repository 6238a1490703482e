import type { Directive } from './directive.ts'
import { sameKeyword } from './keyword.ts'

/**
 * The line that sets a keyword where no Match block does: the first at global scope (sshd_config(5):
 * "for each keyword, the first obtained value will be used"). For keywords that take one value; those
 * that gather (`Port`, `HostKey`, `AllowUsers`…) have no winner.
 */
export function globalWinner(
  directives: readonly Directive[],
  keyword: string,
): Directive | undefined {
  return settings(directives, keyword).find(({ matches }) => matches.length === 0)
}

/**
 * The lines that set a keyword within Match blocks. sshd reads the configuration twice, the second
 * time for the connection and only the blocks that match it; what is set there replaces the global
 * value, wherever the two stand. Of those that match a connection the first wins. `Match all` counts
 * as a block like any other, and always matches: see `isUnconditional`.
 */
export function overrides(directives: readonly Directive[], keyword: string): Directive[] {
  return settings(directives, keyword).filter(({ matches }) => matches.length > 0)
}

/** Every line that sets a keyword, under whichever of its names, in the order of reading. */
export function settings(directives: readonly Directive[], keyword: string): Directive[] {
  return directives.filter(directive => sameKeyword(directive.keyword, keyword))
}
