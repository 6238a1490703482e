import type { Directive } from './directive.ts'
import { settings } from './effective-line.ts'
import { byBytes, matchesPattern } from './glob.ts'

export type Reach =
  /** sshd reads the file at global scope, from the Include `at`. */
  | { kind: 'reached'; at: Directive }
  /** Only within a Match block, be it `Match all` (`isUnconditional(at)` tells). */
  | { kind: 'only-in-match'; at: Directive }
  | { kind: 'not-reached' }

/**
 * Whether sshd would read a file at the absolute `path`, be there one by now or not. `path` must be
 * spelt as the Include spells it: symbolic links are not followed.
 */
export function reachOf(path: string, directives: readonly Directive[]): Reach {
  const includes = directives.filter(directive => patternFor(path, directive) >= 0)
  const global = includes.find(({ matches }) => matches.length === 0)
  if (global) return { kind: 'reached', at: global }
  const [first] = includes
  return first ? { kind: 'only-in-match', at: first } : { kind: 'not-reached' }
}

/**
 * The lines for a keyword that sshd reads before the file at `path`, in any scope; those at global
 * scope keep one in that file from counting. All of them where sshd does not read that file.
 */
export function settingsBefore(
  path: string,
  directives: readonly Directive[],
  keyword: string,
): Directive[] {
  const reach = reachOf(path, directives)
  if (reach.kind === 'not-reached') return settings(directives, keyword)
  const { at } = reach
  const start = directives.indexOf(at)
  const before = directives.filter((directive, index) => {
    const entry = entryUnder(at, directive)
    return entry ? comesBefore(entry, path, at) : index < start
  })
  return settings(before, keyword)
}

/** The index of the first pattern of an Include that takes in `path`; -1 if none does. */
function patternFor(path: string, { keyword, args }: Directive): number {
  return keyword === 'include' ? args.findIndex(pattern => matchesPattern(path, pattern)) : -1
}

/** The line of, or that led to, `directive`, in the file that the Include `at` itself names. */
function entryUnder(at: Directive, directive: Directive): Directive | undefined {
  let entry: Directive | undefined = directive
  while (entry?.via && entry.via.include !== at) entry = entry.via.include
  return entry?.via && entry
}

function comesBefore({ via, file }: Directive, path: string, at: Directive): boolean {
  const pattern = via?.pattern ?? 0
  const ours = patternFor(path, at)
  return pattern < ours || (pattern === ours && byBytes(file, path) < 0)
}
