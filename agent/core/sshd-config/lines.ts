import type { Syntax } from './syntax.ts'

/** One line as sshd comes to see it. */
export interface Line {
  text: string
  /** Of the line of the file that it begins in, from 1. */
  line: number
}

/**
 * The lines that sshd makes of a file's bytes (servconf.c, load_server_config): each without its
 * leading blanks, and only up to a NUL, with which its newline is lost too, so that the next joins it.
 */
export function linesOf(bytes: string, syntax: Syntax): Line[] {
  const lines: Line[] = []
  let begun: Line | undefined
  for (const [index, whole] of bytes.split('\n').entries()) {
    const [line = '', ...behindNul] = whole.split('\0')
    const comment = syntax === 'before-8.7' ? line.indexOf('#') : -1
    const kept = (comment === -1 ? line : line.slice(0, comment)).replace(/^[ \t\r]+/, '')
    const joined: Line = { text: `${begun?.text ?? ''}${kept}`, line: begun?.line ?? index + 1 }
    // A comment that was cut off ends in a newline of its own.
    begun = behindNul.length > 0 && comment === -1 ? joined : undefined
    if (begun === undefined) lines.push(joined)
  }
  if (begun !== undefined) lines.push(begun)
  return lines
}
