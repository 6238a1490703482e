/**
 * How sshd takes a line apart. With 8.7 came argv_split (misc.c), which knows single quotes and
 * backslashes, and lets `#` stand within a word; before, strdelim did all of it, and a comment began at
 * any `#`.
 */
export type Syntax = 'before-8.7' | 'since-8.7'

/** By sshd's version; the newer where it is not known. */
export function syntaxOf(version: { major: number; minor: number } | undefined): Syntax {
  if (version === undefined) return 'since-8.7'
  const { major, minor } = version
  return major < 8 || (major === 8 && minor < 7) ? 'before-8.7' : 'since-8.7'
}
